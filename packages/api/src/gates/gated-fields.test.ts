import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { lookupSchema } from '../index.js';
import type { TypeSchema } from '../schema.js';
import { admit, definitionOf, update } from '../testing/admit.js';
import { gatedFieldsOf } from './gated-fields.js';

const podSpec = (extra: object): object => ({ containers: [{ name: 'c', image: 'i' }], ...extra });
const metadata = { name: 'x' };

const CASES: readonly (readonly [what: string, object: object, path: readonly (string | number)[], left: unknown])[] = [
  [
    "a deployment's projected certificates",
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        template: { spec: podSpec({ volumes: [{ name: 'v', projected: { sources: [{ podCertificate: { signerName: 'a/b', keyType: 'ED25519' } }] } }] }) },
      },
    },
    ['spec', 'template', 'spec', 'volumes', 0, 'projected', 'sources', 0, 'podCertificate'],
    undefined,
  ],
  [
    "a cron job's trust bundles",
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: {
        jobTemplate: {
          spec: { template: { spec: podSpec({ volumes: [{ name: 'v', projected: { sources: [{ clusterTrustBundle: { name: 'n', path: 'p' } }] } }] }) } },
        },
      },
    },
    ['spec', 'jobTemplate', 'spec', 'template', 'spec', 'volumes', 0, 'projected', 'sources', 0, 'clusterTrustBundle'],
    undefined,
  ],
  [
    "a lease's strategy",
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { strategy: 'OldestEmulationVersion' } },
    ['spec', 'strategy'],
    undefined,
  ],
  [
    "a device's lists",
    {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata,
      spec: { devices: [{ name: 'd', attributes: { a: { ints: [1] }, b: { int: 1 } } }] },
    },
    ['spec', 'devices', 0, 'attributes'],
    { a: {}, b: { int: 1 } },
  ],
  [
    'what a CSI driver wants of the scheduler',
    { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata, spec: { preventPodSchedulingIfMissing: true } },
    ['spec', 'preventPodSchedulingIfMissing'],
    undefined,
  ],
  [
    "a claim's source in another namespace",
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: { dataSourceRef: { kind: 'Claim', name: 'c', namespace: 'other' } } },
    ['spec', 'dataSourceRef'],
    undefined,
  ],
  [
    'a dataSource that is neither a claim nor a snapshot',
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: { dataSource: { apiGroup: 'a.example.com', kind: 'Populator', name: 'c' } } },
    ['spec', 'dataSource'],
    undefined,
  ],
  [
    "a node's configuration by the server",
    { apiVersion: 'v1', kind: 'Node', metadata, spec: { configSource: { configMap: { name: 'c' } } } },
    ['spec', 'configSource'],
    undefined,
  ],
];

const at = (object: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], object);

describe('what a gate is off for is dropped', () => {
  test.each(CASES)('from a new object: %s', (_, object, path, left) => expect(at(admit(object).object, path)).toEqual(left));

  test.each(CASES)('from an update, unless it was there: %s', (_, object, path, left) => {
    const wished = object as KubeObject;
    const before = admit({ ...wished, ...(wished.spec?.template || wished.spec?.jobTemplate ? {} : { spec: {} }) }).object;
    const spec = () => structuredClone(wished.spec);
    expect(at(update(before, (each) => void (each.spec = spec())).object, path)).toEqual(left);
    // Written by a server that has the gate on.
    const kept = update({ ...before, spec: spec() }, (each) => void (each.metadata.labels = { a: 'b' })).object;
    expect(at(kept, path)).toEqual(at(wished, path));
  });
});

test('a source of any kind that is referred to is in both fields', () => {
  const dataSourceRef = { apiGroup: 'a.example.com', kind: 'Populator', name: 'c' };
  const { object } = admit({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: { dataSourceRef } });
  expect(object.spec).toMatchObject({ dataSourceRef, dataSource: dataSourceRef });
});

test('slices of v1 have no topology but the name of a node that was there', () => {
  const slice = (extra: object) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], ...extra }],
  });
  const deprecatedTopology = { 'kubernetes.io/hostname': 'n1' };
  const fresh = admit(slice({ deprecatedTopology })).object;
  expect(fresh.endpoints).toEqual([{ addresses: ['10.0.0.1'], conditions: {} }]);
  const old = { ...fresh, endpoints: [{ addresses: ['10.0.0.1'], conditions: {}, deprecatedTopology }] };
  expect(update(old, (each) => void (each.metadata.labels = {})).object.endpoints).toEqual(old.endpoints);
  const moved = update(old, (each) => each.endpoints.push({ addresses: ['10.0.0.2'], deprecatedTopology: { 'kubernetes.io/hostname': 'n2' } }));
  expect(moved.object.endpoints).toEqual([{ addresses: ['10.0.0.1'], conditions: {}, nodeName: 'n1' }, { addresses: ['10.0.0.2'] }]);
});

test('a service account names secrets by name alone', () => {
  const { object } = admit({ apiVersion: 'v1', kind: 'ServiceAccount', metadata, secrets: [{ kind: 'Secret', name: 's', namespace: 'other', uid: 'u' }] });
  expect(object.secrets).toEqual([{ name: 's' }]);
});

test.each([
  ['', 'v1', 'Pod'],
  ['', 'v1', 'Node'],
  ['', 'v1', 'PodTemplate'],
  ['apps', 'v1', 'StatefulSet'],
  ['batch', 'v1', 'CronJob'],
  ['coordination.k8s.io', 'v1', 'Lease'],
  ['resource.k8s.io', 'v1', 'ResourceSlice'],
  ['storage.k8s.io', 'v1', 'CSIDriver'],
])('%s/%s %s: every path of the table is one of the type', (group, version, kind) => {
  const { schema } = definitionOf({ apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata });
  const rules = gatedFieldsOf(group, kind);
  expect(rules).not.toEqual([]);
  for (const { text } of rules.flatMap(({ fields }) => fields)) {
    let type: TypeSchema | undefined = { kind: 'ref', name: schema };
    for (const step of text.split('.')) {
      const name = step.replace(/\[\]|\{\}/, '');
      type = type?.kind === 'ref' ? lookupSchema(type.name).fields[name]?.type : undefined;
      if (step.endsWith('[]')) type = type?.kind === 'list' ? type.items : undefined;
      if (step.endsWith('{}')) type = type?.kind === 'map' ? type.values : undefined;
    }
    expect(type, text).toBeDefined();
  }
});
