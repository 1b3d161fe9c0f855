import type { KubeObject, PersistentVolumeClaim, Pod } from '@coxswain/api';
import { claimOfVolume, claimsOfVolumes, isNotFound } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isFinished } from '../pods/pod-state.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const PVC_FINALIZER = 'kubernetes.io/pvc-protection';
const PV_FINALIZER = 'kubernetes.io/pv-protection';

/**
 * Whether a pod uses the claim. One that is not placed yet does not: no kubelet would start it with a claim that is being deleted. The claim of
 * an ephemeral volume is used by the pod that owns it, not by the next one of that name.
 */
export function podUses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName || isFinished(pod)) return false;
  const owned = claim.metadata.ownerReferences?.some((o) => o.controller && o.uid === pod.metadata.uid);
  return (pod.spec.volumes ?? []).some((v) => claimOfVolume(pod, v) === claim.metadata.name && (!v.ephemeral || owned));
}

/** Add the finalizer to what lives, take it off what is being deleted and not in use. The new list, or undefined: nothing to do. */
export function protectedFinalizers(object: KubeObject, finalizer: string, inUse: () => boolean): string[] | undefined {
  const has = object.metadata.finalizers ?? [];
  if (!object.metadata.deletionTimestamp) return has.includes(finalizer) ? undefined : [...has, finalizer];
  return has.includes(finalizer) && !inUse() ? has.filter((f) => f !== finalizer) : undefined;
}

/** A claim that a pod uses is deleted only when the pod is gone. */
export function pvcProtectionController({ client, informers }: ControllerContext): Controller {
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const pods = informers.informer(Resources.pods);
  const key = (o: { metadata: { namespace?: string; name?: string } }) => `${o.metadata.namespace}/${o.metadata.name}`;
  return {
    name: 'pvc-protection',
    watch(queue) {
      const ofPod = (p: Pod) => {
        for (const name of claimsOfVolumes(p)) queue.add(`${p.metadata.namespace}/${name}`);
      };
      const undo = [
        claims.addHandler({ add: (c) => queue.add(key(c)), update: (_o, c) => queue.add(key(c)) }),
        pods.addHandler({ update: (_o, p) => isFinished(p) && ofPod(p), delete: ofPod }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const claim = claims.lister.get(name, namespace);
      if (!claim) return undefined;
      const finalizers = protectedFinalizers(claim as KubeObject, PVC_FINALIZER, () => pods.lister.list({ namespace }).some((p) => podUses(p, claim)));
      if (finalizers)
        await client.api
          .persistentVolumeClaims(namespace)
          .update({ ...claim, metadata: { ...claim.metadata, finalizers } }, { signal })
          .catch(gone);
      return undefined;
    },
  };
}

/** A volume that is bound to a claim is deleted only when it is free. */
export function pvProtectionController({ client, informers }: ControllerContext): Controller {
  const volumes = informers.informer(Resources.persistentVolumes);
  return {
    name: 'pv-protection',
    watch: (queue) => volumes.addHandler({ add: (v) => queue.add(v.metadata.name ?? ''), update: (_o, v) => queue.add(v.metadata.name ?? '') }),
    async reconcile(name, signal) {
      const pv = volumes.lister.get(name);
      if (!pv) return undefined;
      const finalizers = protectedFinalizers(pv as KubeObject, PV_FINALIZER, () => pv.status?.phase === 'Bound');
      if (finalizers)
        await client.api
          .persistentVolumes()
          .update({ ...pv, metadata: { ...pv.metadata, finalizers } }, { signal })
          .catch(gone);
      return undefined;
    },
  };
}

function gone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
