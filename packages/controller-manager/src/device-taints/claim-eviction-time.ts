import type { DeviceTaint, ResourceClaim, Taint } from '@coxswain/api';
import { evictionTimeOf } from '../node/tolerations.js';

/** The taints of a device of a pool. */
export type DeviceTaints = (driver: string, pool: string, device: string) => readonly DeviceTaint[];

/**
 * When whoever uses the claim must go: milliseconds since the epoch (in the past: now); undefined: its devices have no NoExecute taint
 * that it does not tolerate for good. What was tolerated when the devices were given is in the allocation.
 */
export function claimEvictionTime({ status }: ResourceClaim, taintsOf: DeviceTaints, since: number): number | undefined {
  let earliest: number | undefined;
  for (const { driver, pool, device, tolerations = [] } of status?.allocation?.devices?.results ?? []) {
    const at = evictionTimeOf(tolerations, taintsOf(driver, pool, device) as readonly Taint[], since);
    if (at !== 'never' && (earliest === undefined || at < earliest)) earliest = at;
  }
  return earliest;
}
