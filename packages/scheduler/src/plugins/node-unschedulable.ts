import { success, type SchedulerPlugin } from '@coxswain/sdk';
import { unresolvable } from '../framework/status.js';
import { toleratesAny } from './tolerations.js';

const REFUSED = unresolvable('node(s) were unschedulable');
const TAINT = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' } as const;

/** Cordoned nodes (`spec.unschedulable`), unless the pod tolerates that. */
export const nodeUnschedulable = (): SchedulerPlugin => ({
  name: 'NodeUnschedulable',
  events: [
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update' },
    { resource: 'Pod', action: 'update' },
  ],
  sign: (pod) => String(toleratesAny(pod.spec?.tolerations, TAINT)),
  filter: (_state, pod, { node }) => (!node.spec?.unschedulable || toleratesAny(pod.spec?.tolerations, TAINT) ? success : REFUSED),
});
