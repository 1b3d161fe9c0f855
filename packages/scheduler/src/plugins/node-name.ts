import { success, type SchedulerPlugin } from '@coxswain/sdk';
import { unresolvable } from '../framework/status.js';

const REFUSED = unresolvable("node(s) didn't match the requested node name");

/** `spec.nodeName`, where a pod that has one comes by (preemption, extenders). */
export const nodeName = (): SchedulerPlugin => ({
  name: 'NodeName',
  events: [{ resource: 'Node', action: 'add' }],
  sign: (pod) => pod.spec?.nodeName ?? '',
  filter: (_state, pod, { node }) => (!pod.spec?.nodeName || pod.spec.nodeName === node.metadata.name ? success : REFUSED),
});
