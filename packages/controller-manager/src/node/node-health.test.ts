import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '@coxswain/api';
import { evictionRate, nodeTaints, probe, silentConditions } from './node-health.js';
import { evictionTime } from './tolerations.js';

const node = (ready: string, extra: { taints?: object[]; unschedulable?: boolean; conditions?: object[] } = {}): Node =>
  ({
    metadata: { name: 'n' },
    spec: { taints: extra.taints, unschedulable: extra.unschedulable },
    status: { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: 'h1' }, ...(extra.conditions ?? [])] },
  }) as Node;
const taints = (n: Node, evict: 'add' | 'keep' | 'spare') =>
  nodeTaints(n, evict, 0)
    .map((t) => `${t.key.split('/')[1]}:${t.effect}`)
    .join(' ');
const NO_EXECUTE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };

describe('taints follow conditions', () => {
  it.each([
    [
      'ready',
      node('True', { taints: [NO_EXECUTE, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }, { key: 'own', effect: 'NoSchedule' }] }),
      'keep',
      'undefined:NoSchedule',
    ],
    ['unknown', node('Unknown'), 'add', 'unreachable:NoSchedule unreachable:NoExecute'],
    ['not its turn yet', node('Unknown'), 'keep', 'unreachable:NoSchedule'],
    ['everybody is in trouble', node('Unknown', { taints: [NO_EXECUTE] }), 'spare', 'unreachable:NoSchedule'],
    ['unreachable becomes not ready', node('False', { taints: [NO_EXECUTE] }), 'keep', 'not-ready:NoSchedule not-ready:NoExecute'],
    [
      'pressure and cordon',
      node('True', { unschedulable: true, conditions: [{ type: 'DiskPressure', status: 'True' }] }),
      'keep',
      'disk-pressure:NoSchedule unschedulable:NoSchedule',
    ],
  ] as const)('%s', (_n, n, evict, expected) => expect(taints(n, evict)).toBe(expected));
});

describe('silence', () => {
  it('a changed heartbeat or lease is a sign of life, by our clock', () => {
    const first = probe(node('True'), undefined, undefined, 5);
    expect(probe(node('True'), undefined, first, 50)).toBe(first);
    expect(probe(node('True'), { spec: { renewTime: 't' } } as never, first, 50).at).toBe(50);
  });
  it('makes conditions unknown, once', () => {
    const c = silentConditions(node('True'), 0);
    expect(c?.map((x) => `${x.type}=${x.status}/${x.reason}`)).toEqual([
      'Ready=Unknown/NodeStatusUnknown',
      'MemoryPressure=Unknown/NodeStatusNeverUpdated',
      'DiskPressure=Unknown/NodeStatusNeverUpdated',
      'PIDPressure=Unknown/NodeStatusNeverUpdated',
    ]);
    expect(silentConditions({ ...node('True'), status: { conditions: c } } as Node, 1)).toBeUndefined();
  });
  it.each([
    [10, 1, 0.1],
    [10, 6, 0],
    [100, 60, 0.01],
    [3, 3, 0.1],
  ])('of %i nodes %i sick: %f per second', (n, sick, rate) => expect(evictionRate(n, sick)).toBe(rate));
});

describe('taint eviction', () => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  const taint = { ...NO_EXECUTE, timeAdded: '2026-01-01T00:00:00Z' };
  const pod = (...tolerations: object[]): Pod => ({ spec: { tolerations } }) as Pod;
  const t = { key: NO_EXECUTE.key, operator: 'Exists', effect: 'NoExecute' };
  it.each([
    ['not tolerated: at once', pod(), 0],
    ['tolerated for ever', pod(t), 'never'],
    ['tolerated for a while', pod({ ...t, tolerationSeconds: 300 }), at + 300_000],
    ['longest of several', pod({ ...t, tolerationSeconds: 3 }, { operator: 'Exists', tolerationSeconds: 9 }), at + 9000],
  ])('%s', (_n, p, when) => expect(evictionTime(p, [taint], at + 1)).toBe(when));
});
