import type { Pod, ResourceClaim } from '@coxswain/api';
import { claimOfPod, foreignClaim } from '@coxswain/apimachinery';
import type { ClaimTracker } from './claim-tracker.js';

/** The claims of a pod, or why it cannot be placed yet. */
export function claimsOfPod(pod: Pod, tracker: ClaimTracker): ResourceClaim[] | string {
  const claims: ResourceClaim[] = [];
  const namespace = pod.metadata.namespace ?? '';
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const of = claimOfPod(pod, podClaim);
    if (of.type === 'pending') return of.reason;
    if (of.type === 'not-needed') continue;
    const claim = tracker.get(namespace, of.name);
    if (!claim) return `could not find v1.ResourceClaim "${namespace}/${of.name}"`;
    if (claim.metadata.deletionTimestamp) return `resourceclaim "${of.name}" is being deleted`;
    const foreign = of.generated ? foreignClaim(pod, claim) : undefined;
    if (foreign) return foreign;
    claims.push(claim);
  }
  return claims;
}
