import type { ResourceClaim } from '@coxswain/api';

/** Whether devices of a claim are made ready before a pod goes to them; `failed`: which condition says that they never will be. */
export type BindingState =
  | { readonly type: 'ready' }
  | { readonly type: 'waiting'; readonly condition: string }
  | { readonly type: 'failed'; readonly condition: string };

const READY: BindingState = { type: 'ready' };

/** By what drivers say of the claim's devices in its status. Ready at once when no device asks to be waited for. */
export function bindingState({ status }: ResourceClaim): BindingState {
  let state = READY;
  for (const { driver, pool, device, shareID, bindingConditions, bindingFailureConditions } of status?.allocation?.devices?.results ?? []) {
    if (!bindingConditions?.length) continue;
    const told = status?.devices?.find((d) => d.driver === driver && d.pool === pool && d.device === device && (d.shareID ?? '') === (shareID ?? ''));
    const holds = (type: string) => told?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
    const broken = bindingFailureConditions?.find(holds);
    if (broken) return { type: 'failed', condition: broken };
    const missing = bindingConditions.find((type) => !holds(type));
    if (missing && state === READY) state = { type: 'waiting', condition: missing };
  }
  return state;
}
