import { claimsOfVolumes } from '@coxswain/apimachinery';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterView } from '../framework/handle.js';
import { unschedulable } from '../framework/status.js';

const REFUSED = unschedulable('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode');
const STATE = Symbol('VolumeRestrictions');

/** A ReadWriteOncePod claim is for one pod only, wherever that is. */
export const volumeRestrictions = (view: ClusterView): SchedulerPlugin => ({
  name: 'VolumeRestrictions',
  events: [
    { resource: 'AssignedPod', action: 'delete' },
    { resource: 'PersistentVolumeClaim', action: 'add' },
  ],
  preFilter(state, pod) {
    const ns = pod.metadata.namespace ?? '';
    const exclusive = new Set(claimsOfVolumes(pod).filter((name) => view.claim(ns, name)?.spec?.accessModes?.includes('ReadWriteOncePod')));
    if (exclusive.size === 0) return { status: skip };
    state.write(STATE, exclusive);
    return { status: success };
  },
  filter(state, pod, node) {
    const exclusive = state.read<ReadonlySet<string>>(STATE);
    if (!exclusive) return success;
    for (const other of node.pods) {
      if (other.metadata.namespace === pod.metadata.namespace && claimsOfVolumes(other).some((n) => exclusive.has(n))) return REFUSED;
    }
    return success;
  },
});
