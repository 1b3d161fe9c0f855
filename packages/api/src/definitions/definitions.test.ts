import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../definition.js';
import { decode, definitions, findDefinition, hasSchema, humanDuration, lookupSchema, schemaNames } from '../index.js';
import type { JsonObject } from '../schema.js';
import { admit } from '../testing/admit.js';

const NOW = Date.parse('2026-01-01T01:00:00Z');

const row = (object: KubeObject): Record<string, unknown> => {
  const [version = '', group = ''] = object.apiVersion.split('/').reverse();
  const columns = findDefinition(group, version, object.kind)?.columns ?? [];
  return Object.fromEntries(columns.map((column) => [column.name, column.cell(object, NOW)]));
};

test('every row has a schema of its own kind, and no two rows a path', () => {
  for (const definition of definitions) {
    expect(hasSchema(definition.schema)).toBe(true);
    expect(lookupSchema(definition.schema).groupVersionKind).toEqual({
      group: definition.group,
      version: definition.version,
      kind: definition.kind,
    });
  }
  const paths = definitions.map(({ group, version, resource }) => `${group}/${version}/${resource}`);
  expect(new Set(paths).size).toBe(paths.length);
});

test('every reference between schemas leads somewhere', () => {
  const text = schemaNames().map((name) => JSON.stringify(lookupSchema(name)));
  for (const [, name] of text.join('').matchAll(/"kind":"ref","name":"([^"]*)"/g)) expect(hasSchema(name ?? '')).toBe(true);
});

// A CRD's names are given their defaults after.
const stored = definitions.filter(({ virtual, kind }) => virtual === undefined && kind !== 'CustomResourceDefinition');
test.each(stored.map((each) => [each.group, each.version, each.kind, each.schema]))(
  '%s/%s %s: a new object has the structs and zeros that upstream never leaves out',
  (group, version, kind, schema) => {
    const { object } = admit({ apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name: 'x' } });
    const again = structuredClone(object);
    decode(again as JsonObject, schema);
    expect(object).toEqual(again);
  },
);

test.each([
  ['apps', 'Deployment', {}],
  ['apps', 'ReplicaSet', { replicas: 0 }],
  ['batch', 'Job', {}],
  ['networking.k8s.io', 'Ingress', { loadBalancer: {} }],
  ['policy', 'PodDisruptionBudget', { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }],
  ['storage.k8s.io', 'VolumeAttachment', { attached: false }],
])('%s %s: the status that a client sends is not taken, an empty one is there', (group, kind, status) => {
  const { object } = admit({ apiVersion: `${group}/v1`, kind, metadata: { name: 'x' }, status: { observedGeneration: 7 } });
  expect(object.status).toEqual(status);
});

test('field selectors beside name and namespace, as upstream registers them', () => {
  const reference = (at: string) => ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((each) => `${at}.${each}`);
  const supported: Record<string, readonly string[]> = {
    'v1 Pod': [
      ...['nodeName', 'restartPolicy', 'schedulerName', 'serviceAccountName', 'hostNetwork', 'host'].map((each) => `spec.${each}`),
      ...['phase', 'podIP', 'podIPs', 'nominatedNodeName'].map((each) => `status.${each}`),
    ],
    'v1 Node': ['spec.unschedulable'],
    'v1 Namespace': ['status.phase'],
    'v1 Secret': ['type'],
    'v1 Service': ['spec.clusterIP', 'spec.type'],
    'v1 ReplicationController': ['status.replicas'],
    'v1 Event': [...reference('involvedObject'), 'reason', 'reportingComponent', 'source', 'type'],
    'events.k8s.io/v1 Event': [...reference('regarding'), 'reason', 'reportingController', 'type'],
    'apps/v1 ReplicaSet': ['status.replicas'],
    'batch/v1 Job': ['status.successful'],
    'certificates.k8s.io/v1 CertificateSigningRequest': ['spec.signerName'],
    'resource.k8s.io/v1 ResourceSlice': ['spec.nodeName', 'spec.driver'],
  };
  for (const { group, version, kind, selectableFields } of definitions) {
    const name = `${group === '' ? version : `${group}/${version}`} ${kind}`;
    expect(Object.keys(selectableFields).sort(), name).toEqual([...(supported[name] ?? [])].sort());
  }
});

describe('columns', () => {
  const pod = (status: object, spec: object = {}, metadata: object = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
    status,
  });
  const running = (name: string, extra: object = {}) => ({ name, ready: true, restartCount: 0, state: { running: {} }, ...extra });

  test.each([
    [pod({ phase: 'Pending' }), '0/2', 'Pending', '0'],
    [
      pod({
        phase: 'Running',
        containerStatuses: [running('a', { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:55:00Z' } } }), running('b')],
      }),
      '2/2',
      'Running',
      '3 (5m ago)',
    ],
    [
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', restartCount: 0, state: { terminated: { exitCode: 0 } } },
            { name: 'j', restartCount: 0, state: { running: {} } },
          ],
        },
        { initContainers: [{ name: 'i' }, { name: 'j' }] },
      ),
      '0/2',
      'Init:1/2',
      '0',
    ],
    [
      pod(
        { phase: 'Pending', initContainerStatuses: [{ name: 'i', restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
        { initContainers: [{ name: 'i' }] },
      ),
      '0/2',
      'Init:CrashLoopBackOff',
      '1',
    ],
    [
      pod({ phase: 'Running', containerStatuses: [{ name: 'a', restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff' } } }, running('b')] }),
      '1/2',
      'ImagePullBackOff',
      '0',
    ],
    [
      pod({ phase: 'Succeeded', containerStatuses: [{ name: 'a', restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } }] }),
      '0/2',
      'Completed',
      '0',
    ],
    [pod({ phase: 'Running', containerStatuses: [running('a')] }, {}, { deletionTimestamp: '2026-01-01T00:59:00Z' }), '1/2', 'Terminating', '0'],
    [
      pod({ phase: 'Failed', containerStatuses: [{ name: 'a', restartCount: 0, state: { terminated: { exitCode: 137, signal: 9 } } }] }),
      '0/2',
      'Signal:9',
      '0',
    ],
  ])('pod %#', (object, ready, status, restarts) => expect(row(object)).toMatchObject({ Ready: ready, Status: status, Restarts: restarts, Age: '60m' }));

  test('sidecars count as containers once started', () => {
    const object = pod(
      { phase: 'Running', initContainerStatuses: [{ ...running('s'), started: true }], containerStatuses: [running('a'), running('b')] },
      { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
    );
    expect(row(object)).toMatchObject({ Ready: '3/3', Status: 'Running' });
  });

  test('nodes and services', () => {
    expect(
      row({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
      }),
    ).toMatchObject({ Status: 'Ready,SchedulingDisabled', Roles: 'control-plane', 'Internal-IP': '10.0.0.1', 'External-IP': '<none>', Age: '<unknown>' });
    expect(
      row({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's' },
        spec: { type: 'LoadBalancer', clusterIP: '10.0.0.9', ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }], selector: { b: '2', a: '1' } },
      }),
    ).toMatchObject({ 'External-IP': '<pending>', 'Port(s)': '80:30080/TCP', Selector: 'a=1,b=2' });
  });
});

test('events/v1 and autoscaling/v1 are views of what is stored', () => {
  const event = { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e' }, note: 'hi', regarding: { kind: 'Pod', name: 'p' }, reason: 'R' };
  const events = findDefinition('events.k8s.io', 'v1', 'Event');
  const stored = events?.toStorage?.(event);
  expect(stored).toMatchObject({ apiVersion: 'v1', message: 'hi', involvedObject: { name: 'p' } });
  expect(events?.fromStorage?.(stored as KubeObject)).toEqual(event);

  const hpa = findDefinition('autoscaling', 'v1', 'HorizontalPodAutoscaler');
  const v2: KubeObject = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: {
      maxReplicas: 3,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        { type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '10' } } },
      ],
    },
  };
  const v1 = hpa?.fromStorage?.(v2) as KubeObject;
  expect(v1.spec).toEqual({ maxReplicas: 3, targetCPUUtilizationPercentage: 50 });
  expect(hpa?.toStorage?.(v1)).toEqual(v2);
});

test.each([
  [-2000, '<invalid>'],
  [-500, '0s'],
  [119_000, '119s'],
  [125_000, '2m5s'],
  [600_000, '10m'],
  [3 * 3600_000, '3h'],
  [30 * 3600_000, '30h'],
  [49 * 3600_000, '2d1h'],
  [40 * 86400_000, '40d'],
  [800 * 86400_000, '2y70d'],
])('humanDuration(%d) is %s', (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));
