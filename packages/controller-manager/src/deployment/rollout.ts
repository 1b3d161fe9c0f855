import type { Deployment, ReplicaSet } from '@coxswain/api';
import { createdAt } from '../pods/pod-state.js';
import { desiredReplicas, maxReplicas } from './annotations.js';
import { rolloutLimits } from './limits.js';

/** A ReplicaSet and the number of replicas it should have. */
export interface ScaleStep {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

export const specReplicas = (rs: ReplicaSet): number => rs.spec?.replicas ?? 1;
const available = (rs: ReplicaSet): number => rs.status?.availableReplicas ?? 0;
const sum = (sets: readonly ReplicaSet[], of: (rs: ReplicaSet) => number): number => sets.reduce((n, rs) => n + of(rs), 0);
const oldestFirst = (a: ReplicaSet, b: ReplicaSet): number => createdAt(a) - createdAt(b) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '');

/** How many replicas the new ReplicaSet may have now: as many as `maxSurge` leaves room for. */
export function newReplicaSetSize(d: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = d.spec?.replicas ?? 1;
  if (d.spec?.strategy?.type === 'Recreate') return wanted;
  const room = wanted + rolloutLimits(d).maxSurge - sum(all, specReplicas);
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/**
 * One step of a rolling update: first the new ReplicaSet up (or down, when it is too large), then the old ones down, unhealthy
 * pods before healthy ones, never below what `maxUnavailable` demands.
 */
export function rollingStep(d: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = d.spec?.replicas ?? 1;
  const current = specReplicas(newSet);
  if (current > wanted) return [{ replicaSet: newSet, replicas: wanted }];
  const size = current === wanted ? wanted : newReplicaSetSize(d, [newSet, ...old], current);
  if (size !== current) return [{ replicaSet: newSet, replicas: size }];
  return scaleDownOld(d, newSet, old);
}

function scaleDownOld(d: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): ScaleStep[] {
  const all = [newSet, ...old];
  if (sum(old, specReplicas) === 0) return [];
  const minAvailable = (d.spec?.replicas ?? 1) - rolloutLimits(d).maxUnavailable;
  const newUnavailable = specReplicas(newSet) - available(newSet);
  let unhealthyBudget = sum(all, specReplicas) - minAvailable - newUnavailable;
  if (unhealthyBudget <= 0) return [];
  const sizes = new Map(old.map((rs) => [rs, specReplicas(rs)]));
  const ordered = [...old].sort(oldestFirst);
  // Pods that do not work cost nothing to remove.
  for (const rs of ordered) {
    const n = Math.min(unhealthyBudget, specReplicas(rs) - available(rs));
    if (n <= 0) continue;
    sizes.set(rs, specReplicas(rs) - n);
    unhealthyBudget -= n;
  }
  let healthyBudget = sum(all, available) - minAvailable;
  for (const rs of ordered) {
    const size = sizes.get(rs) as number;
    const n = Math.min(healthyBudget, size);
    if (n <= 0) continue;
    sizes.set(rs, size - n);
    healthyBudget -= n;
  }
  return ordered.filter((rs) => sizes.get(rs) !== specReplicas(rs)).map((rs) => ({ replicaSet: rs, replicas: sizes.get(rs) as number }));
}

/** Whether someone changed `spec.replicas` since the ReplicaSets were last scaled. */
export function isScalingEvent(d: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((rs) => specReplicas(rs) > 0 && desiredReplicas(rs) !== undefined && desiredReplicas(rs) !== (d.spec?.replicas ?? 1));
}

/** Scaling in the middle of a rollout, or while paused: every ReplicaSet gets its share, the largest the most. */
export function scaleProportionally(d: Deployment, newSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = d.spec?.replicas ?? 1;
  const active = [...(newSet ? [newSet] : []), ...old].filter((rs) => specReplicas(rs) > 0);
  const only = active.length <= 1 ? (active[0] ?? newSet ?? newest(old)) : undefined;
  // Also when nothing changes: the annotation by which a scaling is noticed has to be brought up to date.
  if (only) return [{ replicaSet: only, replicas: wanted }];
  if (newSet && specReplicas(newSet) === wanted && available(newSet) === wanted) {
    return [{ replicaSet: newSet, replicas: wanted }, ...old.filter((rs) => specReplicas(rs) > 0).map((rs) => ({ replicaSet: rs, replicas: 0 }))];
  }
  if (d.spec?.strategy?.type === 'Recreate' || active.length === 0) return [];
  const total = sum(active, specReplicas);
  const allowed = wanted > 0 ? wanted + rolloutLimits(d).maxSurge : 0;
  const toAdd = allowed - total;
  // Larger first; among equals the newer when growing, the older when shrinking.
  const order = [...active].sort((a, b) => specReplicas(b) - specReplicas(a) || (toAdd > 0 ? -1 : 1) * oldestFirst(a, b));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const rs of order) {
    const before = specReplicas(rs);
    let share = 0;
    if (toAdd !== 0) {
      const max = maxReplicas(rs) ?? (d.status?.replicas || total);
      const fraction = Math.round((before * allowed) / max) - before;
      const left = toAdd - added;
      share = toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
    }
    sizes.set(rs, Math.max(0, before + share));
    added += share;
  }
  const first = order[0] as ReplicaSet;
  sizes.set(first, Math.max(0, (sizes.get(first) as number) + (toAdd - added)));
  return order.map((rs) => ({ replicaSet: rs, replicas: sizes.get(rs) as number }));
}

const newest = (sets: readonly ReplicaSet[]): ReplicaSet | undefined => [...sets].sort(oldestFirst).at(-1);
