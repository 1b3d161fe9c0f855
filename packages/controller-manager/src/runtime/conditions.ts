/** The common shape of conditions. */
export interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

export const findCondition = <C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C | undefined =>
  conditions?.find((c) => c.type === type);

/** With the condition set. `lastTransitionTime` moves only when the status does. */
export function withCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, next: C, now: string): C[] {
  const before = findCondition(conditions, next.type);
  const lastTransitionTime = before && before.status === next.status && before.lastTransitionTime ? before.lastTransitionTime : now;
  const rest = (conditions ?? []).filter((c) => c.type !== next.type);
  return [...rest, { ...next, lastTransitionTime }];
}

export const withoutCondition = <C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C[] =>
  (conditions ?? []).filter((c) => c.type !== type);
