import type { Pod, StatefulSet } from '@coxswain/api';
import { scaledValue } from '../runtime/int-or-percent.js';
import { isAvailable, isFinished, isReady } from '../pods/pod-state.js';
import { ordinalOf, revisionOfPod } from './statefulset-pods.js';

export type StatefulStep =
  | { readonly type: 'create'; readonly ordinal: number; readonly revision: 'current' | 'update' }
  | { readonly type: 'delete'; readonly pod: Pod; readonly why: 'scale-down' | 'update' | 'failed' };

export interface StatefulState {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly updateRevision: string;
  readonly now: number;
}

/**
 * What to do next. In order: every pod waits for those before it to be available, one is deleted at a time from the highest down,
 * and an update replaces from the highest down to the partition. Parallel management creates and deletes without waiting; updates
 * go in order all the same.
 */
export function planStatefulSet({ set, pods, updateRevision, now }: StatefulState): StatefulStep[] {
  const start = set.spec?.ordinals?.start ?? 0;
  const replicas = set.spec?.replicas ?? 1;
  const ordered = set.spec?.podManagementPolicy !== 'Parallel';
  const minReady = set.spec?.minReadySeconds ?? 0;
  const rolling = set.spec?.updateStrategy?.type !== 'OnDelete';
  const partition = rolling ? (set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0) : 0;
  const byOrdinal = new Map<number, Pod>();
  const condemned: Pod[] = [];
  for (const pod of pods) {
    const n = ordinalOf(set, pod);
    if (n === undefined) continue;
    if (n >= start && n < start + replicas) byOrdinal.set(n, pod);
    else condemned.push(pod);
  }
  const healthy = (p: Pod) => isAvailable(p, minReady, now) && !p.metadata.deletionTimestamp;
  // Below the partition a missing pod comes back as it was; everything else is made with the new template.
  const revisionFor = (n: number): 'current' | 'update' => (rolling && n < start + partition ? 'current' : 'update');
  const steps: StatefulStep[] = [];
  for (let n = start; n < start + replicas; n++) {
    const pod = byOrdinal.get(n);
    if (!pod) steps.push({ type: 'create', ordinal: n, revision: revisionFor(n) });
    else if (isFinished(pod)) {
      if (!pod.metadata.deletionTimestamp) steps.push({ type: 'delete', pod, why: 'failed' });
    } else if (!ordered || healthy(pod)) continue;
    if (ordered) return steps;
  }
  condemned.sort((a, b) => (ordinalOf(set, b) as number) - (ordinalOf(set, a) as number));
  for (const pod of condemned) {
    if (pod.metadata.deletionTimestamp) {
      if (ordered) return steps;
      continue;
    }
    // The first unhealthy pod of the whole set is what is waited for, unless it is the one to go.
    if (ordered && !isReady(pod) && pod !== firstUnhealthy(pods, healthy, set)) return steps;
    steps.push({ type: 'delete', pod, why: 'scale-down' });
    if (ordered) return steps;
  }
  if (!rolling || steps.length > 0) return steps;
  const limit = Math.max(1, scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, replicas, 'up'));
  let unavailable = [...byOrdinal.values()].filter((p) => !healthy(p)).length;
  for (let n = start + replicas - 1; n >= start + partition; n--) {
    const pod = byOrdinal.get(n);
    if (!pod || pod.metadata.deletionTimestamp) {
      if (limit === 1) return steps;
      continue;
    }
    if (revisionOfPod(pod) !== updateRevision) {
      if (!healthy(pod)) {
        steps.push({ type: 'delete', pod, why: 'update' });
        if (limit === 1) return steps;
        continue;
      }
      if (unavailable >= limit) return steps;
      steps.push({ type: 'delete', pod, why: 'update' });
      unavailable++;
      if (limit === 1) return steps;
    } else if (!healthy(pod) && limit === 1) return steps;
  }
  return steps;
}

function firstUnhealthy(pods: readonly Pod[], healthy: (p: Pod) => boolean, set: StatefulSet): Pod | undefined {
  return [...pods].filter((p) => !healthy(p)).sort((a, b) => (ordinalOf(set, a) ?? 0) - (ordinalOf(set, b) ?? 0))[0];
}
