import type { Pod, ResourceClaim } from '@coxswain/api';
import { claimOfPod, extendedResourceClaimOf, isConflict, isNotFound } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { ClaimUpkeep, isDone } from './claim-upkeep.js';
import { ClaimsOfPod } from './claims-of-pod.js';

const CLAIM_INDEX = 'resource-claim';

/** Makes the claims that pods ask for by template, and takes back what pods no longer need. Keys are of pods and of claims. */
export function resourceClaimController(context: ControllerContext): Controller {
  const { client, informers } = context;
  const pods = informers.informer(Resources.pods);
  const claims = informers.informer(Resources.resourceClaims);
  pods.addIndex(CLAIM_INDEX, claimKeys);
  const ofPod = new ClaimsOfPod(context);
  const upkeep = new ClaimUpkeep(client, pods);
  return {
    name: 'resource-claim',
    watch(queue) {
      const look = (pod: Pod, deleted: boolean) => {
        if (!hasClaims(pod)) return;
        if (deleted || isDone(pod)) for (const key of claimKeys(pod)) queue.add(`claim:${key}`);
        if (!deleted && ofPod.wanted(pod)) queue.add(`pod:${pod.metadata.namespace}/${pod.metadata.name}`);
      };
      const changed = (claim: ResourceClaim, deleted = false) => {
        const key = `${claim.metadata.namespace}/${claim.metadata.name}`;
        if (!deleted) queue.add(`claim:${key}`);
        for (const pod of pods.lister.byIndex(CLAIM_INDEX, key)) look(pod, false);
      };
      const undo = [
        pods.addHandler({
          add: (pod) => look(pod, false),
          update: (_old, pod) => look(pod, false),
          delete(pod) {
            if (!hasClaims(pod)) return;
            upkeep.remember(pod);
            ofPod.forget(pod);
            look(pod, true);
          },
        }),
        claims.addHandler({ add: (claim) => changed(claim), update: (_old, claim) => changed(claim), delete: (claim) => changed(claim, true) }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const colon = at.indexOf(':');
      const { namespace, name } = splitKey(at.slice(colon + 1));
      try {
        if (at.startsWith('pod:')) {
          const pod = pods.lister.get(name, namespace);
          if (pod && ofPod.wanted(pod)) await ofPod.sync(pod, signal);
        } else {
          const claim = claims.lister.get(name, namespace);
          if (claim) await upkeep.sync(claim, signal);
        }
      } catch (error) {
        // Somebody else was faster, and what they wrote brings us back.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}

const hasClaims = (pod: Pod): boolean => Boolean(pod.spec?.resourceClaims?.length) || extendedResourceClaimOf(pod) !== undefined;

/** The claims of a pod as `namespace/name`, with the one the scheduler made for its extended resources. */
function claimKeys(pod: Pod): string[] {
  const named = (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const of = claimOfPod(pod, podClaim);
    return of.type === 'named' ? [of.name] : [];
  });
  const extended = extendedResourceClaimOf(pod);
  return [...named, ...(extended === undefined ? [] : [extended])].map((name) => `${pod.metadata.namespace}/${name}`);
}
