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
export function replicaStatus(rs: ReplicaSet, active: readonly Pod[], terminating: number, failure: ManageFailure | undefined, now: number): ReplicaSetStatus {
  const template = labelSelectorFromSet(rs.spec?.template?.metadata?.labels);
  const minReady = rs.spec?.minReadySeconds ?? 0;
  const old = rs.status?.conditions;
  let conditions = old ?? [];
  if (failure && !findCondition(old, 'ReplicaFailure')) {
    conditions = withCondition(old, { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message }, formatTime(now));
  } else if (!failure && findCondition(old, 'ReplicaFailure')) conditions = withoutCondition(old, 'ReplicaFailure');
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((p) => template.matches(p.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((p) => isAvailable(p, minReady, now)).length,
    terminatingReplicas: terminating,
    observedGeneration: rs.metadata.generation ?? 0,
    ...(conditions.length > 0 && { conditions }),
  };
}
