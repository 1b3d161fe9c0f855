import { success, type SchedulerPlugin } from '@coxswain/sdk';
import { unresolvable } from '../framework/status.js';

/** A pod with `spec.schedulingGates` stays out of the queue until the last one is removed. */
export const schedulingGates = (): SchedulerPlugin => ({
  name: 'SchedulingGates',
  events: [],
  preEnqueue(pod) {
    const gates = pod.spec?.schedulingGates ?? [];
    return gates.length === 0 ? success : unresolvable(`waiting for scheduling gates: [${gates.map((g) => g.name).join(' ')}]`);
  },
});
