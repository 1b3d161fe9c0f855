import { describe, expect, it } from 'vitest';
import { node, pod, TestCluster } from '../test-cluster.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';
import { scoringShape } from './scoring-shape.js';

const cluster = (args: Partial<PluginArgs>, ...nodes: Parameters<typeof node>[]): TestCluster => {
  const c = new TestCluster({ ...defaultPluginArgs, ...args });
  for (const n of nodes) c.cache.setNode(node(...n));
  return c;
};
const resources = [{ name: 'cpu', weight: 1 }];
const strategy = (scoringStrategy: PluginArgs['NodeResourcesFit']['scoringStrategy']) => ({
  NodeResourcesFit: { ...defaultPluginArgs.NodeResourcesFit, scoringStrategy },
  // Its opinion would be heard, too.
  NodeResourcesBalancedAllocation: { resources },
});

describe('arguments of plugins', () => {
  it('MostAllocated packs', () => {
    const c = cluster(strategy({ type: 'MostAllocated', resources }), ['a'], ['b']);
    c.place(pod('x', { requests: { cpu: '1' } }), 'a');
    expect(c.outcome(pod('p', { requests: { cpu: '100m' } }))).toBe('a');
  });

  it('RequestedToCapacityRatio scores by its shape', () => {
    const shape = [
      { utilization: 0, score: 0 },
      { utilization: 100, score: 10 },
    ];
    const c = cluster(strategy({ type: 'RequestedToCapacityRatio', resources, shape }), ['a'], ['b']);
    c.place(pod('x', { requests: { cpu: '1' } }), 'a');
    expect(c.outcome(pod('p', { requests: { cpu: '100m' } }))).toBe('a');
  });

  it.each([
    [0, 20],
    [30, 20],
    [45, 30],
    [60, 40],
    [100, 40],
  ])('a shape at %d %% is worth %d', (utilization, score) =>
    expect(
      scoringShape([
        { utilization: 30, score: 2 },
        { utilization: 60, score: 4 },
      ])(utilization),
    ).toBe(score),
  );

  it('ignored resources are not looked for', () => {
    const fit = { ...defaultPluginArgs.NodeResourcesFit, ignoredResources: ['x.io/one'], ignoredResourceGroups: ['example.com'] };
    const c = cluster({ NodeResourcesFit: fit }, ['a']);
    expect(c.outcome(pod('p', { requests: { 'example.com/fpga': '1', 'x.io/one': '1' } }))).toBe('a');
    expect(c.outcome(pod('p', { requests: { 'x.io/two': '1' } }))).toBe('0/1 nodes are available: 1 Insufficient x.io/two.');
  });

  it('an added affinity binds every pod', () => {
    const ssd = { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd'] }] };
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [ssd] } };
    const c = cluster({ NodeAffinity: { addedAffinity: required } }, ['a'], ['b', { labels: { disk: 'ssd' } }]);
    expect(c.outcome(pod('p'))).toBe('b');
    c.cache.removeNode('b');
    expect(c.outcome(pod('p'))).toBe("0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity.");
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: ssd }] };
    const wish = cluster({ NodeAffinity: { addedAffinity: preferred } }, ['a'], ['b', { labels: { disk: 'ssd' } }]);
    wish.place(pod('x', { requests: { cpu: '1' } }), 'b');
    expect(wish.outcome(pod('p'))).toBe('b');
  });

  it('default constraints of a list may refuse', () => {
    const spread = { defaultingType: 'List' as const, defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' as const }] };
    const c = cluster({ PodTopologySpread: spread }, ['a', { labels: { zone: '1' } }], ['b', { labels: { zone: '2' }, allocatable: { pods: '0' } }]);
    c.spreadBy = { app: 'web' };
    c.place(pod('x', {}, { app: 'web' }), 'a');
    expect(c.outcome(pod('p', {}, { app: 'web' }))).toBe("0/2 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints.");
  });

  it('pods already there may be left out of the scores', () => {
    const wish = {
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: {} } }],
      },
    };
    const place = (ignorePreferredTermsOfExistingPods: boolean) => {
      const c = cluster({ InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods } }, ['a'], ['b']);
      c.place(pod('x', { affinity: wish, requests: { cpu: '1', memory: '2Gi' } }), 'a');
      return c.outcome(pod('p'));
    };
    expect([place(false), place(true)]).toEqual(['a', 'b']);
  });

  it('preemption looks at as many nodes as it is told', async () => {
    const tried = async (minCandidateNodesAbsolute: number, priorities: Record<'a' | 'b', number>) => {
      const c = cluster({ DefaultPreemption: { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute } }, ['a'], ['b']);
      for (const n of ['a', 'b'] as const) c.place(pod(`on-${n}`, { priority: priorities[n], requests: { cpu: '4' } }), n);
      return (await c.preempt(pod('p', { priority: 10, requests: { cpu: '4' } }))).nominatedNode;
    };
    expect([await tried(2, { a: 5, b: 1 }), await tried(2, { a: 1, b: 5 })]).toEqual(['b', 'a']);
    // Who looks at one node only takes the first it meets, whatever is on it.
    expect(await tried(1, { a: 5, b: 1 })).toBe(await tried(1, { a: 1, b: 5 }));
  });
});
