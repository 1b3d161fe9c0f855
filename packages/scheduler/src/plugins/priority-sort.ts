import type { SchedulerPlugin } from '@coxswain/sdk';
import { podFacts } from '../framework/pod-resources.js';

/** Queue order: higher priority first, then first come. */
export const prioritySort = (): SchedulerPlugin => ({
  name: 'PrioritySort',
  less(a, b) {
    const pa = podFacts(a.pod).priority;
    const pb = podFacts(b.pod).priority;
    return pa > pb || (pa === pb && a.queuedAt < b.queuedAt);
  },
});
