import type { Pod, ResourceClaim, ResourceClaimConsumerReference } from '@coxswain/api';
import { isNotFound, RESOURCE_CLAIM_FINALIZER } from '@coxswain/apimachinery';
import type { KubeClient, SharedInformer } from '@coxswain/client';
import { TerminalError } from '@coxswain/controller';
import { isFinished } from '../pods/pod-state.js';
import { controllerOf } from '../runtime/owners.js';

/** Pods that are gone and remembered, so that their reservations need no question to the API server. */
const MAX_REMEMBERED = 500;

/** None of its containers runs, and none ever will. */
export const isDone = (pod: Pod): boolean => isFinished(pod) || (Boolean(pod.metadata.deletionTimestamp) && !pod.spec?.nodeName);

/** Takes back what nobody needs any more: reservations of pods that are done, then the allocation, then claims that were made for such pods. */
export class ClaimUpkeep {
  readonly #gone = new Set<string>();

  constructor(
    private readonly client: KubeClient,
    private readonly pods: SharedInformer<Pod>,
  ) {}

  /** The pod has been deleted. */
  remember({ metadata: { uid = '' } }: Pod): void {
    this.#gone.add(uid);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= MAX_REMEMBERED) break;
      this.#gone.delete(oldest);
    }
  }

  async sync(claim: ResourceClaim, signal: AbortSignal): Promise<void> {
    const reserved = claim.status?.reservedFor ?? [];
    const valid: ResourceClaimConsumerReference[] = [];
    for (const consumer of reserved) if (await this.#needed(consumer, claim.metadata.namespace, signal)) valid.push(consumer);
    const ours = claim.metadata.finalizers?.includes(RESOURCE_CLAIM_FINALIZER) ?? false;
    let now = claim;
    if (valid.length < reserved.length) {
      // With the last consumer the allocation goes, too: the next one may be placed elsewhere. No patch: whoever was faster wins.
      now = await this.#setStatus(now, valid.length === 0 && ours ? { reservedFor: valid, allocation: undefined } : { reservedFor: valid }, signal);
      if (ours && !now.status?.allocation) await this.#unprotect(now, signal);
    } else if (ours && valid.length === 0 && claim.metadata.deletionTimestamp) {
      // Allocated and never used, or we were interrupted above.
      if (claim.status?.allocation) now = await this.#setStatus(now, { allocation: undefined }, signal);
      await this.#unprotect(now, signal);
    }
    if (valid.length === 0) await this.#deleteUnused(claim, signal);
  }

  async #needed({ apiGroup, resource, name, uid }: ResourceClaimConsumerReference, namespace: string | undefined, signal: AbortSignal): Promise<boolean> {
    if (apiGroup || resource !== 'pods') throw new TerminalError(`unsupported ReservedFor entry: ${JSON.stringify({ apiGroup, resource, name, uid })}`);
    if (this.#gone.has(uid)) return false;
    const known = this.pods.lister.get(name, namespace);
    if (known) return known.metadata.uid === uid && !isDone(known);
    // Perhaps not seen yet: taking a reservation from a pod that is just being placed would be bad.
    try {
      return (await this.client.api.pods(namespace).get(name, { signal })).metadata.uid === uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #setStatus(claim: ResourceClaim, change: Partial<Record<keyof NonNullable<ResourceClaim['status']>, unknown>>, signal: AbortSignal): Promise<ResourceClaim> {
    const status = Object.fromEntries(Object.entries({ ...claim.status, ...change }).filter(([, value]) => value !== undefined));
    return this.client.api.resourceClaims(claim.metadata.namespace).updateStatus({ ...claim, status } as ResourceClaim, { signal });
  }

  async #unprotect(claim: ResourceClaim, signal: AbortSignal): Promise<void> {
    const finalizers = claim.metadata.finalizers?.filter((f) => f !== RESOURCE_CLAIM_FINALIZER) ?? [];
    await this.client.api.resourceClaims(claim.metadata.namespace).update({ ...claim, metadata: { ...claim.metadata, finalizers } }, { signal });
  }

  /** A claim that was made for a pod goes when the pod is done, which may be long before the pod is deleted. */
  async #deleteUnused(claim: ResourceClaim, signal: AbortSignal): Promise<void> {
    const owner = controllerOf(claim);
    if (owner?.apiVersion !== 'v1' || owner.kind !== 'Pod' || claim.metadata.deletionTimestamp) return;
    const pod = this.pods.lister.get(owner.name, claim.metadata.namespace);
    // A pod that is not there may not be known yet; the garbage collector sees to it when it is gone.
    if (!pod || (pod.metadata.uid === owner.uid && !isDone(pod))) return;
    try {
      await this.client.api.resourceClaims(claim.metadata.namespace).delete(claim.metadata.name ?? '', { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
