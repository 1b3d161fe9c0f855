import type { Pod, ReplicaSet, ReplicaSetStatus } from '@coxswain/api';
import { formatTime, labelSelectorFromSet } from '@coxswain/apimachinery';
import { isAvailable, isReady } from '../pods/pod-state.js';
import { findCondition, withCondition, withoutCondition } from '../runtime/conditions.js';

/** Why the last attempt to come to the right number failed. */
export interface ManageFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status that these pods make. */
export function replicaStatus(
  rs: ReplicaSet,
  active: readonly Pod[],
  terminating: number | undefined,
  failure: ManageFailure | undefined,
  now: number,
): ReplicaSetStatus {
  const template = labelSelectorFromSet(rs.spec?.template?.metadata?.labels);
  const minReady = rs.spec?.minReadySeconds ?? 0;
  const old = rs.status?.conditions;
  let conditions = old ?? [];
  if (failure && !findCondition(old, 'ReplicaFailure')) {
    conditions = withCondition(old, { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message }, formatTime(now));
  } else if (!failure && findCondition(old, 'ReplicaFailure')) conditions = withoutCondition(old, 'ReplicaFailure');
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  for (const pod of active) {
    if (template.matches(pod.metadata.labels)) fullyLabeledReplicas++;
    if (!isReady(pod)) continue;
    readyReplicas++;
    if (minReady === 0 || isAvailable(pod, minReady, now)) availableReplicas++;
  }
  return {
    replicas: active.length,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    observedGeneration: rs.metadata.generation ?? 0,
    ...(conditions.length > 0 && { conditions }),
  };
}
