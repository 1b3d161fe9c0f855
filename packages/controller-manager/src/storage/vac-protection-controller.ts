import type { KubeObject, PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { Resources, resourceRef } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { protectedFinalizers } from './protection-controllers.js';

const FINALIZER = 'kubernetes.io/vac-protection';
const volumeAttributesClasses = resourceRef<VolumeAttributesClass & KubeObject>(
  'storage.k8s.io',
  'v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  false,
);

/** The classes a claim asks for, has, or is on its way to. */
export const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): readonly string[] =>
  [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].flatMap(
    (name) => name || [],
  );

const classesOfVolume = ({ spec }: PersistentVolume): readonly string[] => (spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []);

/** A class that a volume or a claim names is deleted only when none does. */
export function vacProtectionController({ client, informers }: ControllerContext): Controller {
  const classes = informers.informer(volumeAttributesClasses);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const volumes = informers.informer(Resources.persistentVolumes);
  const inUse = (name: string) =>
    volumes.lister.list().some((volume) => classesOfVolume(volume).includes(name)) ||
    claims.lister.list().some((claim) => classesOfClaim(claim).includes(name));
  return {
    name: 'vac-protection',
    watch(queue) {
      const freed = <T>(of: (object: T) => readonly string[]) => ({
        update: (old: T, now: T) => of(old).forEach((name) => of(now).includes(name) || queue.add(name)),
        delete: (old: T) => of(old).forEach((name) => queue.add(name)),
      });
      const own = (vac: KubeObject) => queue.add(vac.metadata.name ?? '');
      const undo = [
        classes.addHandler({ add: own, update: (_old, vac) => own(vac) }),
        claims.addHandler(freed(classesOfClaim)),
        volumes.addHandler(freed(classesOfVolume)),
      ];
      return () => undo.forEach((stop) => stop());
    },
    async reconcile(name, signal) {
      const vac = classes.lister.get(name);
      const finalizers = vac && protectedFinalizers(vac, FINALIZER, () => inUse(name));
      if (!finalizers) return undefined;
      try {
        await client.resource(volumeAttributesClasses).update({ ...vac, metadata: { ...vac.metadata, finalizers } }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}
