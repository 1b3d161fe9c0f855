import type { Pod, PodResourceClaim, ResourceClaim } from '@coxswain/api';

/** On a claim that is allocated: it cannot go before its devices are free again. */
export const RESOURCE_CLAIM_FINALIZER = 'resource.kubernetes.io/delete-protection';
/** Consumers a claim has at most. */
const MAX_CONSUMERS = 256;

/** What stands behind one of a pod's `spec.resourceClaims`. */
export type PodClaim =
  /** `generated`: made from a template, and only good when the pod owns it. */
  | { readonly type: 'named'; readonly name: string; readonly generated: boolean }
  /** It was found that the pod needs none. */
  | { readonly type: 'not-needed' }
  /** It is still to be made from its template. */
  | { readonly type: 'pending'; readonly reason: string };

export function claimOfPod({ metadata, status }: Pod, { name, resourceClaimName, resourceClaimTemplateName }: PodResourceClaim): PodClaim {
  if (resourceClaimName) return { type: 'named', name: resourceClaimName, generated: false };
  const pod = `pod "${metadata.namespace}/${metadata.name}"`;
  if (!resourceClaimTemplateName) return { type: 'pending', reason: `${pod}, spec.resourceClaim "${name}": none of the supported fields are set` };
  const made = status?.resourceClaimStatuses?.find((s) => s.name === name);
  if (!made) return { type: 'pending', reason: `${pod}: ResourceClaim not created yet` };
  return made.resourceClaimName ? { type: 'named', name: made.resourceClaimName, generated: true } : { type: 'not-needed' };
}

/** Why a generated claim is not this pod's; undefined: it is. */
export function foreignClaim(pod: Pod, claim: ResourceClaim): string | undefined {
  const { namespace, name, ownerReferences } = claim.metadata;
  if (namespace === pod.metadata.namespace && ownerReferences?.some((o) => o.controller && o.uid === pod.metadata.uid)) return undefined;
  return `ResourceClaim ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}

export const isReservedFor = ({ metadata }: Pod, claim: ResourceClaim): boolean => claim.status?.reservedFor?.some((r) => r.uid === metadata.uid) ?? false;

/** Whether there is room for one more consumer. */
export const canBeReserved = (claim: ResourceClaim): boolean => (claim.status?.reservedFor?.length ?? 0) < MAX_CONSUMERS;
