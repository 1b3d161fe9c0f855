import type { Pod } from '@coxswain/api';
import { claimsOfVolumes } from '@coxswain/apimachinery';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterView } from '../framework/handle.js';
import { unschedulable } from '../framework/status.js';
import { driverOf } from './volumes.js';

const REFUSED = unschedulable('node(s) exceed max volume count');

/** No more CSI volumes on a node than its driver says it can attach (`CSINode.spec.drivers[].allocatable.count`). */
export const nodeVolumeLimits = (view: ClusterView): SchedulerPlugin => {
  /** Driver → volumes of these pods, each counted once. */
  const volumesOf = (pods: readonly Pod[]): Map<string, Set<string>> => {
    const out = new Map<string, Set<string>>();
    for (const pod of pods) {
      for (const name of claimsOfVolumes(pod)) {
        const pv = view.claim(pod.metadata.namespace ?? '', name)?.spec?.volumeName;
        const driver = pv ? driverOf(view.volume(pv)) : undefined;
        if (!pv || !driver) continue;
        const set = out.get(driver);
        if (set) set.add(pv);
        else out.set(driver, new Set([pv]));
      }
    }
    return out;
  };
  return {
    name: 'NodeVolumeLimits',
    events: [
      { resource: 'AssignedPod', action: 'delete' },
      { resource: 'Node', action: 'add' },
      { resource: 'PersistentVolumeClaim', action: 'add' },
    ],
    preFilter: (_state, pod) => ({ status: claimsOfVolumes(pod).length === 0 ? skip : success }),
    filter(_state, pod, info) {
      const wanted = volumesOf([pod]);
      if (wanted.size === 0) return success;
      const limits = new Map((view.csiNode(info.node.metadata.name ?? '')?.spec.drivers ?? []).map((d) => [d.name, d.allocatable?.count]));
      const used = volumesOf(info.pods);
      for (const [driver, volumes] of wanted) {
        const limit = limits.get(driver);
        const all = new Set([...(used.get(driver) ?? []), ...volumes]);
        if (limit !== undefined && all.size > limit) return REFUSED;
      }
      return success;
    },
  };
};
