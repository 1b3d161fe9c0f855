import type { ReactNode } from 'react';
import { type KubeObject, PODS, type Resource } from '../api/resource';
import { Age } from '../list/cell';
import { ResourceTable } from '../list/resource-table';
import { useTable } from '../api/use-table';
import { detailPath, navigate, pathOfReference } from '../router';
import { useResources } from '../shell/use-discovery';
import { Link } from '../ui/link';
import { tone } from '../list/tone';
import { containersOf } from './pod-containers';

export function Overview({ resource, object }: { readonly resource: Resource; readonly object: KubeObject }) {
  const { metadata } = object;
  const selector = podSelector(resource, object);
  return (
    <div className="overview">
      <section className="card">
        <h2>Metadata</h2>
        <dl>
          <Field name="Created">
            <Age since={metadata.creationTimestamp} /> ago <span className="muted">{metadata.creationTimestamp}</span>
          </Field>
          {metadata.ownerReferences && (
            <Field name="Owner">
              <Owners object={object} />
            </Field>
          )}
          <Field name="Labels">
            <Pairs pairs={metadata.labels} />
          </Field>
          <Field name="Annotations">
            <Pairs pairs={metadata.annotations} />
          </Field>
          <Field name="UID">
            <code>{metadata.uid}</code>
          </Field>
        </dl>
      </section>
      {scalars(object['spec']).length > 0 && (
        <section className="card">
          <h2>Spec</h2>
          <Scalars of={object['spec']} />
        </section>
      )}
      {resource.kind === 'Pod' && <Containers pod={object} />}
      {(scalars(object['status']).length > 0 || object['status']?.conditions) && (
        <section className="card">
          <h2>Status</h2>
          <Scalars of={object['status']} />
          <Conditions conditions={object['status']?.conditions} />
        </section>
      )}
      {object['data'] && (
        <section className="card">
          <h2>Data</h2>
          <dl>
            {Object.entries(object['data'] as Record<string, string>).map(([key, value]) => (
              <Field key={key} name={key}>
                {resource.kind === 'Secret' ? (
                  <span className="muted">{Math.floor((value.length * 3) / 4)} bytes, shown in YAML</span>
                ) : (
                  <pre className="value">{value}</pre>
                )}
              </Field>
            ))}
          </dl>
        </section>
      )}
      {(selector !== undefined || resource.kind === 'Node') && <Pods object={object} resource={resource} selector={selector} />}
    </div>
  );
}

function Field({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Pairs({ pairs = {} }: { readonly pairs?: Readonly<Record<string, string>> | undefined }) {
  const entries = Object.entries(pairs).filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration');
  if (entries.length === 0) return <span className="muted">none</span>;
  return entries.map(([key, value]) => (
    <span key={key} className="chip" title={`${key}=${value}`}>
      {key}
      {value !== '' && <b>{value}</b>}
    </span>
  ));
}

function Owners({ object: { metadata } }: { readonly object: KubeObject }) {
  const resources = useResources();
  return metadata.ownerReferences?.map((ref) => {
    const path = pathOfReference(resources, ref, metadata.namespace, ref.name);
    const text = `${ref.kind} ${ref.name}`;
    return path ? (
      <Link key={text} href={path}>
        {text}
      </Link>
    ) : (
      <span key={text}>{text}</span>
    );
  });
}

const scalars = (of: unknown): [string, string][] =>
  Object.entries((of ?? {}) as Record<string, unknown>)
    .filter(([, v]) => typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean')
    .map(([k, v]) => [k, String(v)]);

function Scalars({ of }: { readonly of: unknown }) {
  return (
    <dl>
      {scalars(of).map(([key, value]) => (
        <Field key={key} name={key}>
          {key === 'phase' ? <span className={`pill ${tone('Status', value) ?? ''}`}>{value}</span> : value}
        </Field>
      ))}
    </dl>
  );
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

function Conditions({ conditions }: { readonly conditions: readonly Condition[] | undefined }) {
  if (!conditions?.length) return null;
  return (
    <table className="plain">
      <thead>
        <tr>
          <th>Condition</th>
          <th>Status</th>
          <th>Since</th>
          <th>Reason</th>
        </tr>
      </thead>
      <tbody>
        {conditions.map((c) => (
          <tr key={c.type}>
            <td>{c.type}</td>
            <td>{c.status}</td>
            <td>
              <Age since={c.lastTransitionTime} />
            </td>
            <td title={c.message}>
              {c.reason} <span className="muted">{c.message}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Containers({ pod }: { readonly pod: KubeObject }) {
  return (
    <section className="card">
      <h2>Containers</h2>
      <table className="plain">
        <thead>
          <tr>
            <th>Name</th>
            <th>State</th>
            <th>Restarts</th>
            <th>Image</th>
          </tr>
        </thead>
        <tbody>
          {containersOf(pod).map(({ name, image, state, restarts, kind }) => (
            <tr key={name}>
              <td>
                {name} {kind !== 'container' && <span className="muted">{kind}</span>}
              </td>
              <td>
                <span className={`pill ${tone('Status', state) ?? ''}`}>{state}</span>
              </td>
              <td>{restarts}</td>
              <td>
                <code>{image}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The selector of the pods that belong to the object, for kinds that select pods. */
function podSelector(resource: Resource, object: KubeObject): string | undefined {
  const selector = object['spec']?.selector as Record<string, unknown> | undefined;
  if (!selector || !resource.namespaced) return undefined;
  const labels = (resource.kind === 'Service' || resource.kind === 'ReplicationController' ? selector : selector['matchLabels']) as
    | Record<string, string>
    | undefined;
  const pairs = Object.entries(labels ?? {});
  if (pairs.length === 0 || pairs.some(([, v]) => typeof v !== 'string')) return undefined;
  return pairs.map(([k, v]) => `${k}=${v}`).join(',');
}

function Pods({ object, resource, selector }: { readonly object: KubeObject; readonly resource: Resource; readonly selector: string | undefined }) {
  const { metadata } = object;
  const onNode = resource.kind === 'Node' ? `spec.nodeName=${metadata.name}` : undefined;
  const { columns, rows } = useTable(PODS, { namespace: metadata.namespace, labelSelector: selector, fieldSelector: onNode });
  if (rows.length === 0) return null;
  return (
    <section className="card pods">
      <h2>Pods</h2>
      <ResourceTable
        columns={columns}
        rows={rows}
        wide={false}
        showNamespace={onNode !== undefined}
        onOpen={(row) => navigate(detailPath(PODS, row.object.metadata.namespace, row.object.metadata.name))}
      />
    </section>
  );
}
