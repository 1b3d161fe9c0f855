import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '@coxswain/api';
import { ordinalOf, STATEFUL_SET } from './statefulset-pods.js';

/**
 * Who owns a claim decides when it goes: the set (`whenDeleted`), or the pod that is scaled away (`whenScaled`). Never both, as the collector
 * keeps what has one owner left; and nobody of these where somebody else controls the claim.
 */
export function claimOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] {
  const others = (claim.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid);
  if (others.some(({ controller }) => controller)) return others;
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const start = set.spec?.ordinals?.start ?? 0;
  const ordinal = ordinalOf(set, pod) ?? start;
  const scaledAway = ordinal < start || ordinal >= start + (set.spec?.replicas ?? 1);
  const owned = { controller: true, blockOwnerDeletion: true };
  if (scaledAway && whenScaled === 'Delete') {
    return [...others, { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '', ...owned }];
  }
  if (whenDeleted === 'Delete') return [...others, { ...STATEFUL_SET, name: set.metadata.name ?? '', uid: set.metadata.uid ?? '', ...owned }];
  return others;
}
