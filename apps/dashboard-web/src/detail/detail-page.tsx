import { Suspense, useState } from 'react';
import { k8s, request } from '../api/request';
import { objectPath, type KubeObject, type Resource } from '../api/resource';
import { StatusError } from '../api/status-error';
import { useObject } from '../api/use-object';
import { detailPath, listPath, navigate } from '../router';
import { title } from '../shell/catalog';
import { useResource } from '../shell/use-discovery';
import { Link } from '../ui/link';
import { lazyPage } from '../ui/lazy-page';
import { ErrorNotice, Loading } from '../ui/notice';
import { EventsTab } from './events-tab';
import { LogsTab } from './logs-tab';
import { Overview } from './overview';

const YamlTab = lazyPage(() => import('./yaml-tab'));
const TerminalTab = lazyPage(() => import('./terminal-tab'));

interface DetailPageProps {
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly tab: string;
}

interface Tab {
  readonly id: string;
  readonly label: string;
}

function tabsOf(resource: Resource): Tab[] {
  const isPod = resource.group === '' && resource.name === 'pods';
  const pod = isPod
    ? [
        { id: 'logs', label: 'Logs' },
        { id: 'terminal', label: 'Terminal' },
      ]
    : [];
  return [{ id: 'overview', label: 'Overview' }, ...pod, { id: 'events', label: 'Events' }, { id: 'yaml', label: 'YAML' }];
}

export function DetailPage({ group, resource: plural, namespace, name, tab }: DetailPageProps) {
  const resource = useResource(group, plural);
  const { object, deleted, error } = useObject(resource, namespace, name);
  if (!resource) return <p className="notice">This cluster has no resource {group ? `${plural}.${group}` : plural}.</p>;
  const tabs = tabsOf(resource);
  return (
    <article className="detail" aria-label={`${resource.kind} ${name}`}>
      <header className="page-head">
        <div>
          <p className="crumbs">
            <Link href={listPath(resource)}>{title(resource)}</Link>
            {namespace && <span> / {namespace}</span>}
          </p>
          <h1>{name}</h1>
        </div>
        {deleted && <span className="pill bad">Deleted</span>}
        {!deleted && object?.metadata.deletionTimestamp && <span className="pill busy">Terminating</span>}
        <span className="spacer" />
        {object && !deleted && resource.verbs.includes('delete') && <DeleteButton resource={resource} object={object} />}
      </header>
      <div className="tabs" role="tablist" aria-label="Views of the object">
        {tabs.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={tab === id}
            onClick={() => navigate(detailPath(resource, namespace, name, id), { replace: true })}
          >
            {label}
          </button>
        ))}
      </div>
      {error && <ErrorNotice error={error} />}
      {!object && !error && <Loading />}
      {object && (
        <Suspense fallback={<Loading />}>
          <TabBody tab={tab} resource={resource} object={object} />
        </Suspense>
      )}
    </article>
  );
}

function TabBody({ tab, resource, object }: { readonly tab: string; readonly resource: Resource; readonly object: KubeObject }) {
  switch (tab) {
    case 'yaml':
      return <YamlTab resource={resource} object={object} />;
    case 'events':
      return <EventsTab object={object} />;
    case 'logs':
      return <LogsTab pod={object} />;
    case 'terminal':
      return <TerminalTab pod={object} />;
    default:
      return <Overview resource={resource} object={object} />;
  }
}

function DeleteButton({ resource, object }: { readonly resource: Resource; readonly object: KubeObject }) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<Error>();
  const { name, namespace, uid } = object.metadata;
  const remove = async () => {
    try {
      // What is shown is what goes, not another of the same name made meanwhile; so asking twice does no harm.
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...(uid ? { preconditions: { uid } } : {}) });
      await request(k8s(objectPath(resource, namespace, name)), { method: 'DELETE', contentType: 'application/json', body, repeatable: uid !== undefined });
      setAsking(false);
    } catch (e) {
      if (e instanceof StatusError && e.code === 404) setAsking(false);
      else setError(e as Error);
    }
  };
  if (!asking) {
    return (
      <button type="button" className="danger" onClick={() => setAsking(true)}>
        Delete
      </button>
    );
  }
  return (
    <span className="confirm" role="alertdialog" aria-label={`Delete ${name}?`}>
      {error ? error.message : `Delete ${resource.kind} ${name}?`}
      {/* biome-ignore lint/a11y/noAutofocus: the question was just asked for */}
      <button type="button" className="danger" autoFocus onClick={remove}>
        Delete
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        Keep
      </button>
    </span>
  );
}
