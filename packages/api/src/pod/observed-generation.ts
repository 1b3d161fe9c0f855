import type { Pod, PodCondition } from '../generated/types.js';

/** Writers that know nothing of `observedGeneration` leave what it was, in the status and in each condition of the same type. */
export function keepObservedGeneration({ status }: Pod, { status: old }: Pod): void {
  if (!status) return;
  if (!status.observedGeneration && old?.observedGeneration) status.observedGeneration = old.observedGeneration;
  const before: PodCondition[] = [...(old?.conditions ?? [])];
  for (const condition of status.conditions ?? []) {
    const index = before.findIndex(({ type }) => type === condition.type);
    const [known] = index < 0 ? [] : before.splice(index, 1);
    if (!condition.observedGeneration && known?.observedGeneration) condition.observedGeneration = known.observedGeneration;
  }
}
