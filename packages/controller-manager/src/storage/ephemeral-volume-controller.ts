import type { KubeObject, Pod } from '@coxswain/api';
import { claimOfVolume, isAlreadyExists } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { controllerRef, isControlledBy } from '../runtime/owners.js';

/** Makes the claims of a pod's ephemeral volumes; they belong to the pod and go with it. */
export function ephemeralVolumeController({ client, informers, events }: ControllerContext): Controller {
  const pods = informers.informer(Resources.pods);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const wants = (p: Pod) => !p.metadata.deletionTimestamp && p.spec?.volumes?.some((v) => v.ephemeral?.volumeClaimTemplate);
  return {
    name: 'ephemeral-volume',
    watch(queue) {
      const undo = [
        pods.addHandler({ add: (p) => wants(p) && queue.add(`${p.metadata.namespace}/${p.metadata.name}`) }),
        claims.addHandler({
          delete(c) {
            const owner = c.metadata.ownerReferences?.find((o) => o.controller && o.kind === 'Pod');
            if (owner) queue.add(`${c.metadata.namespace}/${owner.name}`);
          },
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const pod = pods.lister.get(name, namespace);
      if (!pod || !wants(pod)) return undefined;
      for (const v of pod.spec?.volumes ?? []) {
        const template = v.ephemeral?.volumeClaimTemplate;
        const claimName = claimOfVolume(pod, v);
        if (!template || claimName === undefined) continue;
        const there = claims.lister.get(claimName, namespace);
        if (there) {
          if (!isControlledBy(there, pod))
            events(pod as KubeObject, 'Warning', 'ClaimConflict', `PVC ${namespace}/${claimName} was not created for pod ${at} (pod is not owner)`);
          continue;
        }
        const metadata = {
          ...template.metadata,
          name: claimName,
          namespace,
          ownerReferences: [controllerRef(pod as KubeObject, { apiVersion: 'v1', kind: 'Pod' })],
        };
        try {
          await client.api
            .persistentVolumeClaims(namespace)
            .create({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: structuredClone(template.spec) }, { signal });
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      }
      return undefined;
    },
  };
}
