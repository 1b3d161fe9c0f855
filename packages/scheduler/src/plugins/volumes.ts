import type { PersistentVolume, PersistentVolumeClaim } from '@coxswain/api';
import type { ClusterView } from '../framework/handle.js';

export const isBound = (claim: PersistentVolumeClaim): boolean =>
  Boolean(claim.spec?.volumeName) && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined;

export const storageClassOf = (claim: PersistentVolumeClaim): string =>
  claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';

/** Bound when its first pod is scheduled, not before. */
export function waitsForConsumer(claim: PersistentVolumeClaim, view: ClusterView): boolean {
  return view.storageClass(storageClassOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

export const driverOf = (pv: PersistentVolume | undefined): string | undefined => pv?.spec?.csi?.driver;
