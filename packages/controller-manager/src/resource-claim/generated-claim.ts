import type { Pod, PodResourceClaim, ResourceClaim, ResourceClaimTemplate } from '@coxswain/api';
import { controllerRef } from '../runtime/owners.js';

/** On a claim that was made for a pod: which of its `spec.resourceClaims` it is. */
export const POD_CLAIM_ANNOTATION = 'resource.kubernetes.io/pod-claim-name';
/** A name has 63 characters; a hyphen and 5 random ones come after. */
const MAX_BASE = 57;

/** The claim a template makes for a pod. */
export function generatedClaim(pod: Pod, podClaim: PodResourceClaim, template: ResourceClaimTemplate): ResourceClaim {
  const { metadata, spec } = template.spec;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      namespace: pod.metadata.namespace,
      generateName: baseName(pod.metadata.name ?? '', podClaim.name),
      ownerReferences: [controllerRef(pod, { apiVersion: 'v1', kind: 'Pod' })],
      annotations: { ...metadata?.annotations, [POD_CLAIM_ANNOTATION]: podClaim.name },
      ...(metadata?.labels && { labels: metadata.labels }),
    },
    spec: structuredClone(spec),
  } as ResourceClaim;
}

/** `pod-claim-`, both cut in proportion when they are too long together, so that something of each is left. */
function baseName(pod: string, claim: string): string {
  const full = `${pod}-${claim}-`;
  if (full.length <= MAX_BASE) return full;
  const cut = (name: string) => name.slice(0, Math.floor((name.length * MAX_BASE) / full.length));
  return `${cut(pod)}-${cut(claim)}`;
}
