import { formatTime } from '@coxswain/apimachinery';
import type { Crd } from './json-schema.js';

export type ConditionType = 'Established' | 'NamesAccepted' | 'Terminating' | 'NonStructuralSchema' | 'KubernetesAPIApprovalPolicyConformant';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function conditionOf(crd: Crd, type: ConditionType): Condition | undefined {
  return (crd.status?.conditions as Condition[] | undefined)?.find((condition) => condition.type === type);
}

export const isTrue = (crd: Crd, type: ConditionType): boolean => conditionOf(crd, type)?.status === 'True';

/** The list with this condition in it. The time of the last transition stays while the status does. */
export function withCondition(conditions: readonly Condition[], condition: Omit<Condition, 'lastTransitionTime'>, now: number): Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = old && old.status === condition.status && old.lastTransitionTime ? old.lastTransitionTime : formatTime(now);
  // What others wrote beside it stays: `observedGeneration`.
  const fresh = { ...old, ...condition, lastTransitionTime };
  return old ? conditions.map((each) => (each === old ? fresh : each)) : [...conditions, fresh];
}
