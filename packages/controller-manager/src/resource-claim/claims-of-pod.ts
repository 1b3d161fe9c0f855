import type { KubeObject, Pod, PodResourceClaim, ResourceClaim } from '@coxswain/api';
import { canBeReserved, claimOfPod, foreignClaim, isReservedFor } from '@coxswain/apimachinery';
import type { KubeClient, SharedInformer } from '@coxswain/client';
import { Resources } from '@coxswain/client';
import type { ControllerContext } from '../runtime/controller-context.js';
import { generatedClaim, POD_CLAIM_ANNOTATION } from './generated-claim.js';

/** What the pod's own side of claims asks for: claims made from templates and noted in its status, reserved once somebody has placed it. */
export class ClaimsOfPod {
  readonly #client: KubeClient;
  readonly #claims: SharedInformer<ResourceClaim>;
  readonly #templates;
  readonly #events: ControllerContext['events'];
  /** Made by us, and not seen by the informer yet: looking there only would make a second one. By pod UID and name in the pod. */
  readonly #made = new Map<string, ResourceClaim>();

  constructor({ client, informers, events }: ControllerContext) {
    this.#client = client;
    this.#events = events;
    this.#claims = informers.informer(Resources.resourceClaims);
    this.#templates = informers.informer(Resources.resourceClaimTemplates);
  }

  /** Whether there is anything to do for the pod. */
  wanted(pod: Pod): boolean {
    if (pod.metadata.deletionTimestamp) return false;
    for (const podClaim of pod.spec?.resourceClaims ?? []) {
      const of = claimOfPod(pod, podClaim);
      if (of.type === 'pending') return true;
      if (of.type === 'not-needed') continue;
      const claim = this.#claims.lister.get(of.name, pod.metadata.namespace);
      // One that only the user can make is not waited for here.
      if (!claim) return Boolean(podClaim.resourceClaimTemplateName);
      if (of.generated && foreignClaim(pod, claim)) return true;
      if (this.#toReserve(pod, claim)) return true;
    }
    return false;
  }

  async sync(pod: Pod, signal: AbortSignal): Promise<void> {
    const statuses: { name: string; resourceClaimName: string }[] = [];
    for (const podClaim of pod.spec?.resourceClaims ?? []) {
      try {
        const made = await this.#ensure(pod, podClaim, signal);
        if (made) statuses.push({ name: podClaim.name, resourceClaimName: made.metadata.name ?? '' });
      } catch (error) {
        const text = `PodResourceClaim ${podClaim.name}: ${(error as Error).message}`;
        this.#events(pod as KubeObject, 'Warning', 'FailedResourceClaimCreation', text);
        throw error;
      }
    }
    const pods = this.#client.api.pods(pod.metadata.namespace);
    const uid = pod.metadata.uid;
    const patch = { metadata: { uid }, status: { resourceClaimStatuses: statuses } };
    if (statuses.length > 0) await pods.patch(pod.metadata.name ?? '', 'strategic', patch, { subresource: 'status', signal });
    // The scheduler reserves what it places; a pod that was made with a node of its own passes it by.
    for (const podClaim of pod.spec?.resourceClaims ?? []) {
      const of = claimOfPod(pod, podClaim);
      const claim = of.type === 'named' ? this.#claims.lister.get(of.name, pod.metadata.namespace) : undefined;
      if (claim && this.#toReserve(pod, claim)) await this.#reserve(pod, claim, signal);
    }
  }

  forget(pod: Pod): void {
    for (const { name } of pod.spec?.resourceClaims ?? []) this.#made.delete(`${pod.metadata.uid}/${name}`);
  }

  #toReserve(pod: Pod, claim: ResourceClaim): boolean {
    return Boolean(pod.spec?.nodeName && claim.status?.allocation) && !isReservedFor(pod, claim) && canBeReserved(claim);
  }

  async #reserve(pod: Pod, claim: ResourceClaim, signal: AbortSignal): Promise<void> {
    const consumer = { resource: 'pods', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' };
    const status = { ...claim.status, reservedFor: [...(claim.status?.reservedFor ?? []), consumer] };
    await this.#client.api.resourceClaims(claim.metadata.namespace).updateStatus({ ...claim, status }, { signal });
  }

  /** The claim that the pod's status does not name yet; made if it has to be. */
  async #ensure(pod: Pod, podClaim: PodResourceClaim, signal: AbortSignal): Promise<ResourceClaim | undefined> {
    const of = claimOfPod(pod, podClaim);
    const { namespace } = pod.metadata;
    if (of.type === 'not-needed' || !podClaim.resourceClaimTemplateName) return undefined;
    if (of.type === 'named') {
      const claim = this.#claims.lister.get(of.name, namespace);
      if (claim && !foreignClaim(pod, claim)) return undefined;
    }
    const key = `${pod.metadata.uid}/${podClaim.name}`;
    // Made before, but a crash or a failed write kept it out of the pod's status.
    const there =
      this.#claims.lister
        .list({ namespace })
        .find((c) => c.metadata.annotations?.[POD_CLAIM_ANNOTATION] === podClaim.name && foreignClaim(pod, c) === undefined) ?? this.#made.get(key);
    if (there) return there;
    const template = this.#templates.lister.get(podClaim.resourceClaimTemplateName, namespace);
    if (!template)
      throw new Error(
        `resource claim template "${podClaim.resourceClaimTemplateName}": resourceclaimtemplate.resource.k8s.io "${podClaim.resourceClaimTemplateName}" not found`,
      );
    const made = await this.#client.api.resourceClaims(namespace).create(generatedClaim(pod, podClaim, template), { signal });
    this.#made.set(key, made);
    return made;
  }
}
