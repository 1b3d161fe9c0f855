import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '@coxswain/api';
import { formatTime, parseTime } from '@coxswain/apimachinery';
import { findCondition, withoutCondition } from '../runtime/conditions.js';
import { rolloutLimits } from './limits.js';

const NO_DEADLINE = 2 ** 31 - 1;

export const hasDeadline = (d: Deployment): boolean => d.spec?.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== NO_DEADLINE;

/** Set a condition as Deployments do: `lastUpdateTime` moves with every change of status or reason, `lastTransitionTime` with the status. */
export function setDeploymentCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: number,
): DeploymentCondition[] {
  const before = findCondition(conditions, type);
  if (before && before.status === status && before.reason === reason) return [...(conditions ?? [])];
  const time = formatTime(now);
  const lastTransitionTime = before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : time;
  return [...(conditions ?? []).filter((c) => c.type !== type), { type, status, reason, message, lastUpdateTime: time, lastTransitionTime }];
}

/** The counts and the Available condition. */
export function countStatus(d: Deployment, newSet: ReplicaSet | undefined, all: readonly ReplicaSet[], now: number): DeploymentStatus {
  const sum = (of: (rs: ReplicaSet) => number | undefined) => all.reduce((n, rs) => n + (of(rs) ?? 0), 0);
  const availableReplicas = sum((rs) => rs.status?.availableReplicas);
  const wanted = d.spec?.replicas ?? 1;
  const enough = availableReplicas >= wanted - rolloutLimits(d).maxUnavailable;
  const conditions = enough
    ? setDeploymentCondition(d.status?.conditions, 'Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
    : setDeploymentCondition(d.status?.conditions, 'Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', now);
  return {
    observedGeneration: d.metadata.generation ?? 0,
    replicas: sum((rs) => rs.status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum((rs) => rs.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum((rs) => rs.spec?.replicas ?? 1) - availableReplicas),
    terminatingReplicas: sum((rs) => rs.status?.terminatingReplicas),
    ...(d.status?.collisionCount !== undefined && { collisionCount: d.status.collisionCount }),
    conditions,
  };
}

export function isComplete(d: Deployment, s: DeploymentStatus): boolean {
  const wanted = d.spec?.replicas ?? 1;
  return s.updatedReplicas === wanted && s.replicas === wanted && s.availableReplicas === wanted && (s.observedGeneration ?? 0) >= (d.metadata.generation ?? 0);
}

function isProgressing(d: Deployment, s: DeploymentStatus): boolean {
  const old = d.status ?? {};
  const updated = (x: DeploymentStatus) => x.updatedReplicas ?? 0;
  const oldOnes = (x: DeploymentStatus) => (x.replicas ?? 0) - updated(x);
  return (
    updated(s) > updated(old) ||
    oldOnes(s) < oldOnes(old) ||
    (s.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (s.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

/** Milliseconds until the progress deadline passes (negative: it has); undefined when there is none to wait for. */
export function untilDeadline(d: Deployment, conditions: readonly DeploymentCondition[] | undefined, now: number): number | undefined {
  if (!hasDeadline(d)) return undefined;
  const c = findCondition(conditions, 'Progressing');
  if (!c || c.reason === 'NewReplicaSetAvailable') return undefined;
  return (parseTime(c.lastUpdateTime ?? '') ?? now) + (d.spec?.progressDeadlineSeconds ?? 600) * 1000 - now;
}

/** The counts with the Progressing and ReplicaFailure conditions as the rollout stands. */
export function progressStatus(d: Deployment, newSet: ReplicaSet | undefined, all: readonly ReplicaSet[], now: number): DeploymentStatus {
  const s = countStatus(d, newSet, all, now);
  let conditions = s.conditions ?? [];
  const current = findCondition(d.status?.conditions, 'Progressing');
  const name = newSet ? `ReplicaSet "${newSet.metadata.name ?? ''}"` : `Deployment "${d.metadata.name ?? ''}"`;
  if (!hasDeadline(d)) conditions = withoutCondition(conditions, 'Progressing');
  const settled = s.replicas === s.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (hasDeadline(d) && !settled) {
    if (isComplete(d, s))
      conditions = setDeploymentCondition(conditions, 'Progressing', 'True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`, now);
    else if (isProgressing(d, s)) {
      const time = formatTime(now);
      const lastTransitionTime = current?.status === 'True' && current.lastTransitionTime ? current.lastTransitionTime : time;
      const next = {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        message: `${name} is progressing.`,
        lastUpdateTime: time,
        lastTransitionTime,
      };
      conditions = [...withoutCondition(conditions, 'Progressing'), next];
    } else if (!d.spec?.paused && (untilDeadline(d, conditions, now) ?? 1) <= 0) {
      conditions = setDeploymentCondition(conditions, 'Progressing', 'False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`, now);
    }
  }
  const failing = [newSet, ...all].map((rs) => findCondition(rs?.status?.conditions, 'ReplicaFailure')).find((c) => c !== undefined);
  conditions = failing
    ? setDeploymentCondition(conditions, 'ReplicaFailure', failing.status as 'True', failing.reason ?? '', failing.message ?? '', now)
    : withoutCondition(conditions, 'ReplicaFailure');
  return { ...s, conditions };
}
