import type { Node, Pod } from '@coxswain/api';
import { success, type SchedulerPlugin } from '@coxswain/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPluginArgs } from '../plugins/plugin-args.js';
import { TestCluster, node, pod } from '../test-cluster.js';

const NODES = 12;
const nameOf = (i: number) => `n${i % NODES}`;

const taints = [
  undefined,
  [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
  [{ key: 'gpu', value: 'yes', effect: 'PreferNoSchedule' }],
  [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
] as Node['spec'][keyof Node['spec']][];

const specs: Parameters<typeof pod>[1][] = [
  { requests: { cpu: '300m', memory: '200Mi' } },
  { requests: { cpu: '300m', memory: '201Mi' } },
  {},
  { requests: { 'example.com/fpga': '1' } },
  { tolerations: [{ key: 'gpu', operator: 'Exists' }] },
  { nodeSelector: { disk: 'ssd' } },
  { containers: [{ name: 'c', image: 'app', ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }] },
  { containers: [{ name: 'c', image: 'app', ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1', protocol: 'TCP' }] }] },
  { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'disk', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] },
];

type Step =
  | { readonly type: 'schedule'; readonly spec: number }
  | { readonly type: 'delete'; readonly pod: number }
  | { readonly type: 'node'; readonly at: number; readonly taint: number; readonly ssd: boolean; readonly cordoned: boolean; readonly image: boolean }
  | { readonly type: 'remove'; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('schedule' as const), spec: fc.nat(specs.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), pod: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('node' as const),
      at: fc.nat(NODES - 1),
      taint: fc.nat(taints.length - 1),
      ssd: fc.boolean(),
      cordoned: fc.boolean(),
      image: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), at: fc.nat(NODES - 1) }) },
);

/** What becomes of each pod of the steps. */
function outcomes(cluster: TestCluster, steps: readonly Step[]): string[] {
  for (let i = 0; i < NODES; i++) cluster.cache.setNode(node(nameOf(i), { allocatable: { cpu: '1', 'example.com/fpga': '2' }, labels: { disk: 'hdd' } }));
  const placed: Pod[] = [];
  const said: string[] = [];
  for (const [i, s] of steps.entries()) {
    switch (s.type) {
      case 'schedule': {
        const p = pod(`p${i}`, specs[s.spec], { app: 'web' });
        const outcome = cluster.outcome(p);
        said.push(outcome);
        if (/^n\d+$/.test(outcome)) placed.push(cluster.cache.assumePod(p, outcome));
        break;
      }
      case 'delete': {
        const [gone] = placed.splice(s.pod % Math.max(1, placed.length), 1);
        if (gone) cluster.cache.removePod(gone);
        break;
      }
      case 'node': {
        const images = s.image ? [{ names: ['app:latest'], sizeBytes: 500 * 2 ** 20 }] : [];
        const spec = { taints: taints[s.taint], unschedulable: s.cordoned } as Node['spec'];
        cluster.cache.setNode(
          node(nameOf(s.at), { spec, images, allocatable: { cpu: '2', 'example.com/fpga': '1' }, labels: { disk: s.ssd ? 'ssd' : 'hdd' } }),
        );
        break;
      }
      case 'remove':
        cluster.cache.removeNode(nameOf(s.at));
    }
  }
  return said;
}

const unsigned = (plugins: readonly SchedulerPlugin[]) => plugins.map(({ sign: _sign, ...plugin }) => plugin);

describe('what signing plugins said before', () => {
  it('decides as if they were asked every time', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        expect(outcomes(new TestCluster(), steps)).toEqual(outcomes(new TestCluster(defaultPluginArgs, {}, unsigned), steps));
      }),
      { numRuns: 40 },
    );
  });

  /** Counts what it is asked. */
  const counting = (sign: SchedulerPlugin['sign']) => {
    const asked = { filter: 0, score: 0 };
    const plugin: SchedulerPlugin = {
      name: 'Counting',
      ...(sign && { sign }),
      filter: () => (asked.filter++, success),
      score: () => (asked.score++, 1),
    };
    // First, so that it is at the head of the filters.
    const cluster = new TestCluster(defaultPluginArgs, {}, (plugins) => [plugin, ...plugins]);
    for (const name of ['a', 'b', 'c']) cluster.cache.setNode(node(name));
    return { asked, cluster };
  };

  it('is not asked again of a node on which nothing changed', () => {
    const { asked, cluster } = counting(() => '');
    cluster.cycle(pod('one'));
    expect(asked).toEqual({ filter: 3, score: 3 });
    cluster.place(pod('one'), 'b');
    cluster.cycle(pod('two'));
    expect(asked).toEqual({ filter: 4, score: 4 });
    cluster.cycle(pod('three', { requests: { cpu: '1' } }));
    expect(asked).toEqual({ filter: 7, score: 7 });
  });

  it.each([
    ['a plugin that does not sign', undefined],
    ['a pod that the plugin does not sign', () => undefined],
  ])('is asked every time: %s', (_what, sign) => {
    const { asked, cluster } = counting(sign);
    cluster.cycle(pod('one'));
    cluster.cycle(pod('two'));
    expect(asked).toEqual({ filter: 6, score: 6 });
  });

  it('keeps apart what differs in one signature only', () => {
    const { asked, cluster } = counting((p) => p.metadata.labels?.['app']);
    for (const app of ['x', 'y', 'x', 'y']) cluster.cycle(pod('p', {}, { app }));
    expect(asked.filter).toBe(6);
  });
});
