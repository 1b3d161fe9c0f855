import { describe, expect, it } from 'vitest';
import type { Pod } from '@coxswain/api';
import { TestCluster, node, pod } from '../test-cluster.js';
import { feasibleNodesWanted } from './cycle.js';

const cluster = (...nodes: Parameters<typeof node>[]): TestCluster => {
  const c = new TestCluster();
  for (const n of nodes) c.cache.setNode(node(...n));
  return c;
};

describe('scheduling cycle: why a pod fits nowhere', () => {
  it.each([
    ['no nodes', cluster(), pod('p'), 'no nodes available to schedule pods'],
    [
      'cpu and taint',
      cluster(
        ['a', { allocatable: { cpu: '1' } }],
        ['b', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } }],
        ['c', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }] } }],
      ),
      pod('p', { requests: { cpu: '2' } }),
      '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {gpu: yes}.',
    ],
    [
      'several shortages of one node',
      cluster(['a']),
      pod('p', { requests: { cpu: '5', memory: '9Gi', 'example.com/fpga': '1' } }),
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/fpga, 1 Insufficient memory.',
    ],
    [
      'selector',
      cluster(['a'], ['b']),
      pod('p', { nodeSelector: { disk: 'ssd' } }),
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    ],
    ['cordoned', cluster(['a', { spec: { unschedulable: true } }]), pod('p'), '0/1 nodes are available: 1 node(s) were unschedulable.'],
    [
      'claim not found',
      cluster(['a']),
      pod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
      '0/1 nodes are available: persistentvolumeclaim "data" not found.',
    ],
    [
      'spread without label',
      cluster(['a']),
      pod('p', { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }] }),
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
    ],
  ] as [string, TestCluster, Pod, string][])('%s', (_name, c, p, message) => expect(c.outcome(p)).toBe(message));

  it('counts assumed pods and forgets them again', () => {
    const c = cluster(['a', { allocatable: { cpu: '1' } }]);
    const first = pod('first', { requests: { cpu: '800m' } });
    c.cache.assumePod(first, 'a');
    expect(c.outcome(pod('p', { requests: { cpu: '500m' } }))).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    c.cache.forgetPod(first);
    expect(c.outcome(pod('p', { requests: { cpu: '500m' } }))).toBe('a');
  });

  it('knows host ports by address and protocol', () => {
    const c = cluster(['a']);
    const withPort = (name: string, hostIP: string, protocol: string) =>
      pod(name, { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80, hostIP, protocol }] }] });
    c.place(withPort('one', '10.0.0.1', 'TCP'), 'a');
    expect(c.outcome(withPort('p', '10.0.0.2', 'TCP'))).toBe('a');
    expect(c.outcome(withPort('p', '', 'UDP'))).toBe('a');
    expect(c.outcome(withPort('p', '', 'TCP'))).toBe("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.");
  });

  it('counts init containers by their peak, sidecars for good', () => {
    const c = cluster(['a', { allocatable: { cpu: '1' } }]);
    const container = (cpu: string, extra: object = {}) => ({ name: cpu, image: 'i', resources: { requests: { cpu } }, ...extra });
    expect(c.outcome(pod('p', { initContainers: [container('900m')], containers: [container('600m')] }))).toBe('a');
    expect(c.outcome(pod('p', { initContainers: [container('500m', { restartPolicy: 'Always' })], containers: [container('600m')] }))).toContain(
      'Insufficient cpu',
    );
  });
});

describe('scheduling cycle: which node is best', () => {
  it('the emptier one', () => {
    const c = cluster(['a'], ['b']);
    c.place(pod('x', { requests: { cpu: '1', memory: '2Gi' } }), 'a');
    expect(c.outcome(pod('p', { requests: { cpu: '100m' } }))).toBe('b');
  });
  it('the one a preferred affinity names', () => {
    const c = cluster(['a'], ['b', { labels: { disk: 'ssd' } }]);
    c.place(pod('x', { requests: { cpu: '1', memory: '2Gi' } }), 'b');
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } }],
      },
    };
    expect(c.outcome(pod('p', { affinity }))).toBe('b');
  });
  it('not the one with a PreferNoSchedule taint', () => {
    const c = cluster(['a', { spec: { taints: [{ key: 'k', value: '', effect: 'PreferNoSchedule' }] } }], ['b']);
    c.place(pod('x', { requests: { cpu: '500m' } }), 'b');
    expect(c.outcome(pod('p'))).toBe('b');
  });
  it('the one with the image', () => {
    const c = cluster(['a'], ['b', { images: [{ names: ['app:latest'], sizeBytes: 900 * 2 ** 20 }] }]);
    expect(c.outcome(pod('p'))).toBe('b');
  });
  it('another zone than the siblings of a Service', () => {
    const c = cluster(['a', { labels: { 'topology.kubernetes.io/zone': 'z1' } }], ['b', { labels: { 'topology.kubernetes.io/zone': 'z2' } }]);
    c.spreadBy = { app: 'web' };
    c.place(pod('x', {}, { app: 'web' }), 'a');
    expect(c.outcome(pod('p', {}, { app: 'web' }))).toBe('b');
  });
});

describe('pods about pods', () => {
  const term = (app: string, topologyKey = 'kubernetes.io/hostname') => ({ topologyKey, labelSelector: { matchLabels: { app } } });
  it('affinity joins, the first of a group may start anywhere', () => {
    const c = cluster(['a'], ['b']);
    const together = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('web')] } };
    expect(c.outcome(pod('p', { affinity: together }))).toBe("0/2 nodes are available: 2 node(s) didn't match pod affinity rules.");
    expect(['a', 'b']).toContain(c.outcome(pod('p', { affinity: together }, { app: 'web' })));
    c.place(pod('x', { requests: { cpu: '2' } }, { app: 'web' }), 'b');
    expect(c.outcome(pod('p', { affinity: together }))).toBe('b');
  });
  it('anti-affinity works both ways', () => {
    const c = cluster(['a']);
    const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('db')] } };
    c.place(pod('x', { affinity: apart }, { app: 'db' }), 'a');
    expect(c.outcome(pod('p', { affinity: apart }))).toContain("didn't match pod anti-affinity rules");
    expect(c.outcome(pod('p', {}, { app: 'db' }))).toContain("didn't satisfy existing pods anti-affinity rules");
    expect(c.outcome(pod('p'))).toBe('a');
  });
  it('topology spread keeps the skew', () => {
    const c = cluster(['a', { labels: { zone: '1' } }], ['b', { labels: { zone: '2' } }]);
    const p = pod(
      'p',
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] },
      { app: 'web' },
    );
    c.place(pod('x', {}, { app: 'web' }), 'a');
    expect(c.outcome(p)).toBe('b');
    c.cache.removeNode('b');
    c.cache.setNode(node('b', { labels: { zone: '2' }, allocatable: { pods: '0' } }));
    expect(c.outcome(p)).toBe("0/2 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints.");
  });
});

describe('preemption', () => {
  const full = () => {
    const c = cluster(['a', { allocatable: { cpu: '2' } }], ['b', { allocatable: { cpu: '2' } }]);
    c.place(pod('low-a', { requests: { cpu: '2' }, priority: 1 }), 'a');
    c.place(pod('mid-b', { requests: { cpu: '1' }, priority: 5 }), 'b');
    c.place(pod('low-b', { requests: { cpu: '1' }, priority: 1 }), 'b');
    return c;
  };
  it('drives out the least important, and only who is in the way', async () => {
    const c = full();
    expect(await c.preempt(pod('p', { requests: { cpu: '1' }, priority: 10 }))).toEqual({ nominatedNode: 'b' });
    expect(c.evicted).toEqual(['low-b']);
  });
  it('goes elsewhere to spare a disruption budget', async () => {
    const c = full();
    c.budgets.push({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'x', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'x' } } },
      status: { disruptionsAllowed: 0 },
    } as never);
    c.place(pod('low-b', { requests: { cpu: '1' }, priority: 1 }, { app: 'x' }), 'b');
    c.place(pod('mid-b', { requests: { cpu: '1' }, priority: 5 }, { app: 'x' }), 'b');
    expect(await c.preempt(pod('p', { requests: { cpu: '1' }, priority: 10 }))).toEqual({ nominatedNode: 'a' });
  });
  it('says why it does not help', async () => {
    const c = full();
    expect((await c.preempt(pod('p', { requests: { cpu: '1' }, priority: 1 }))).message).toBe(
      'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    );
    expect((await c.preempt(pod('p', { requests: { cpu: '9' }, priority: 10 }))).message).toBe(
      'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    );
    expect((await c.preempt(pod('p', { requests: { cpu: '1' }, priority: 10, preemptionPolicy: 'Never' }))).message).toBe(
      'preemption: not eligible due to preemptionPolicy=Never.',
    );
  });
});

describe('how many nodes are looked at', () => {
  it.each([
    [50, 0, 50],
    [1000, 0, 420],
    [5000, 0, 500],
    [10_000, 0, 500],
    [1000, 100, 1000],
    [1000, 5, 100],
  ])('%i nodes at %i%%: %i', (n, p, want) => expect(feasibleNodesWanted(n, p)).toBe(want));
  it('starts where the last cycle stopped', () => {
    const c = cluster(...Array.from({ length: 200 }, (_, i): [string] => [`n${i}`]));
    const r = c.cycle(pod('p'));
    expect(r).toMatchObject({ type: 'placed', feasible: 100, nextStart: 100 });
    expect(c.cycle(pod('q'))).toMatchObject({ nextStart: 0 });
  });
});

it('pods that want what not every node can do go where it is declared', () => {
  const hosts = { hostNetwork: true, hostUsers: false };
  const c = cluster(['a'], ['b', { declaredFeatures: ['UserNamespacesHostNetworkSupport'] }]);
  expect(c.outcome(pod('p', hosts))).toBe('b');
  expect(cluster(['a']).outcome(pod('p', hosts))).toBe("0/1 nodes are available: 1 node(s) didn't match Pod's required features.");
});
