import type { AllocationResult, Pod, ResourceClaim } from '@coxswain/api';
import { isConflict, isNotFound, RESOURCE_CLAIM_FINALIZER } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { ClaimActions } from '../framework/handle.js';

const ATTEMPTS = 5;

/** What the plugin writes to claims. */
export function claimActions({ api }: Pick<KubeClient, 'api'>): ClaimActions {
  const claimsIn = (claim: ResourceClaim) => api.resourceClaims(claim.metadata.namespace);
  const nameOf = (claim: ResourceClaim) => claim.metadata.name ?? '';
  return {
    async reserve(first, pod, allocation, signal) {
      let claim = first;
      for (let attempt = 1; ; attempt++) {
        try {
          return await reserveOnce(api, claim, pod, allocation, signal);
        } catch (error) {
          // Others write to claims, too, mostly nothing that is in our way.
          if (!isConflict(error) || attempt === ATTEMPTS) throw error;
          claim = await claimsIn(claim).get(nameOf(claim), { signal });
        }
      }
    },
    async release(claim, pod, signal) {
      // Takes out one entry without knowing the others.
      const reservedFor = [{ $patch: 'delete', uid: pod.metadata.uid }];
      try {
        await claimsIn(claim).patch(
          nameOf(claim),
          'strategic',
          { metadata: { uid: claim.metadata.uid }, status: { reservedFor } },
          { subresource: 'status', signal },
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    async deallocate(claim, signal) {
      const { devices } = claim.status ?? {};
      await claimsIn(claim).updateStatus({ ...claim, status: devices ? { devices } : {} }, { signal });
    },
    create: (claim, signal) => claimsIn(claim).create(claim, { signal }),
    async remove(claim, signal) {
      try {
        for (let attempt = 1, now = claim; ; attempt++) {
          try {
            if (now.metadata.finalizers?.includes(RESOURCE_CLAIM_FINALIZER)) await claimsIn(claim).update(unprotected(now), { signal });
            break;
          } catch (error) {
            if (!isConflict(error) || attempt === ATTEMPTS) throw error;
            now = await claimsIn(claim).get(nameOf(claim), { signal });
          }
        }
        await claimsIn(claim).delete(nameOf(claim), { signal, preconditions: { uid: claim.metadata.uid ?? '' } });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    async noteDevices({ metadata: { namespace, name = '', uid } }, extendedResourceClaimStatus, signal) {
      await api.pods(namespace).patch(name, 'strategic', { metadata: { uid }, status: { extendedResourceClaimStatus } }, { subresource: 'status', signal });
    },
  };
}

const unprotected = (claim: ResourceClaim): ResourceClaim => ({
  ...claim,
  metadata: { ...claim.metadata, finalizers: (claim.metadata.finalizers ?? []).filter((each) => each !== RESOURCE_CLAIM_FINALIZER) },
});

async function reserveOnce(
  api: KubeClient['api'],
  claim: ResourceClaim,
  pod: Pod,
  allocation: AllocationResult | undefined,
  signal: AbortSignal,
): Promise<ResourceClaim> {
  const claims = api.resourceClaims(claim.metadata.namespace);
  const { namespace, name, finalizers = [], deletionTimestamp } = claim.metadata;
  if (deletionTimestamp) throw new Error(`claim ${namespace}/${name} got deleted in the meantime`);
  let now = claim;
  if (allocation) {
    if (claim.status?.allocation) throw new Error(`claim ${namespace}/${name} got allocated elsewhere in the meantime`);
    // First, so that no allocation can vanish with its claim.
    if (!finalizers.includes(RESOURCE_CLAIM_FINALIZER))
      now = await claims.update({ ...claim, metadata: { ...claim.metadata, finalizers: [...finalizers, RESOURCE_CLAIM_FINALIZER] } }, { signal });
  }
  const consumer = { resource: 'pods', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' };
  const reservedFor = [...(now.status?.reservedFor ?? []).filter((r) => r.uid !== consumer.uid), consumer];
  return claims.updateStatus({ ...now, status: { ...now.status, ...(allocation && { allocation }), reservedFor } }, { signal });
}
