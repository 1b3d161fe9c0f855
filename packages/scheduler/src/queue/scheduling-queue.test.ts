import { describe, expect, it } from 'vitest';
import type { Pod } from '@coxswain/api';
import { success } from '@coxswain/sdk';
import { prioritySort } from '../plugins/priority-sort.js';
import { schedulingGates } from '../plugins/scheduling-gates.js';
import { pod } from '../test-cluster.js';
import { SchedulingQueue } from './scheduling-queue.js';

const queue = () =>
  new SchedulingQueue({
    less: prioritySort().less as never,
    preEnqueue: (p) => {
      const status = schedulingGates().preEnqueue?.(p) ?? success;
      return status.code === 'success' ? undefined : { plugin: 'SchedulingGates', status };
    },
    events: new Map([['Fit', [{ resource: 'AssignedPod', action: 'delete' }]]]),
    initialBackoffMs: 1000,
    maxBackoffMs: 10_000,
    maxUnschedulableMs: 300_000,
  });
const next = (q: SchedulingQueue, now: number): string | undefined => {
  const item = q.pop(now);
  if (item) q.done(item);
  return item?.pod.metadata.name;
};

describe('SchedulingQueue', () => {
  it('gives the important first, then first come', () => {
    const q = queue();
    q.add(pod('a'), 1);
    q.add(pod('b'), 2);
    q.add(pod('c', { priority: 5 }), 3);
    expect([next(q, 4), next(q, 4), next(q, 4), next(q, 4)]).toEqual(['c', 'a', 'b', undefined]);
  });

  it('brings a refused pod back on an event its plugin named, after back-off', () => {
    const q = queue();
    q.add(pod('a'), 0);
    q.park(q.pop(0) as never, new Set(['Fit']), 0);
    q.changed({ resource: 'Node', action: 'add' }, 100);
    expect(q.sizes).toMatchObject({ unschedulable: 1, backoff: 0 });
    q.changed({ resource: 'AssignedPod', action: 'delete' }, 100);
    expect(q.nextWake()).toBe(1000);
    expect(next(q, 999)).toBeUndefined();
    expect(next(q, 1000)).toBe('a');
  });

  it('doubles the back-off up to the limit', () => {
    const q = queue();
    q.add(pod('a'), 0);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      q.park(q.pop(now) as never, new Set(), now);
      waits.push((q.nextWake() as number) - now);
      now = q.nextWake() as number;
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('does not lose an event that came during the attempt', () => {
    const q = queue();
    q.add(pod('a'), 0);
    const item = q.pop(0);
    q.changed({ resource: 'AssignedPod', action: 'delete' }, 0);
    q.park(item as never, new Set(['Fit']), 0);
    expect(q.sizes).toMatchObject({ backoff: 1, unschedulable: 0 });
  });

  it('forgets a pod deleted during the attempt', () => {
    const q = queue();
    q.add(pod('a'), 0);
    const item = q.pop(0);
    q.delete(pod('a'));
    q.park(item as never, new Set(['Fit']), 0);
    expect(q.pending()).toEqual([]);
  });

  it('tries again after five minutes whatever happened', () => {
    const q = queue();
    q.add(pod('a'), 0);
    q.park(q.pop(0) as never, new Set(['Fit']), 0);
    expect(next(q, 299_999)).toBeUndefined();
    expect(next(q, 300_000)).toBe('a');
  });

  it('holds gated pods until the gates are gone', () => {
    const q = queue();
    const gated = pod('a', { schedulingGates: [{ name: 'wait' }] });
    q.add(gated, 0);
    expect(next(q, 1e9)).toBeUndefined();
    expect(q.sizes.gated).toBe(1);
    q.update({ ...gated, spec: { ...gated.spec, schedulingGates: [] } } as Pod, 10, true);
    expect(next(q, 10)).toBe('a');
  });
});
