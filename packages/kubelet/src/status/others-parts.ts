import type { PodStatus } from '@coxswain/api';
import { OWNED_CONDITIONS } from './conditions.js';

/** Our own status with what others write into it, as the API server has it: conditions that are not ours, and which claims stand for what. Pure. */
export function withOthersParts(own: PodStatus, fromApi: PodStatus = {}): PodStatus {
  const ours = new Set<string>(OWNED_CONDITIONS);
  const conditions = [...(own.conditions ?? []).filter((c) => ours.has(c.type)), ...(fromApi.conditions ?? []).filter((c) => !ours.has(c.type))];
  const added = (own.conditions ?? []).filter((c) => !conditions.some((k) => k.type === c.type));
  const { resourceClaimStatuses, extendedResourceClaimStatus } = fromApi;
  const claims = { ...(resourceClaimStatuses && { resourceClaimStatuses }), ...(extendedResourceClaimStatus && { extendedResourceClaimStatus }) };
  return { ...own, conditions: [...conditions, ...added], ...claims };
}
