import { createHash } from 'node:crypto';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@coxswain/api';
import { claimOfVolume } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { type CsiVolumeSpec, inlineSpec, persistentSpec } from '../csi/csi-spec.js';

/** A volume after its claim was followed. */
export type ResolvedVolume =
  | { readonly type: 'pod'; readonly volume: Volume }
  | { readonly type: 'path'; readonly path: string; readonly hostPathType?: string; readonly readOnly: boolean; readonly fsGroup: boolean }
  | { readonly type: 'device'; readonly path: string; readonly readOnly: boolean }
  | { readonly type: 'csi'; readonly spec: CsiVolumeSpec; readonly bound?: { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume } };

/** Follows claims to the volume they are bound to. Throws what upstream says when it cannot be used here. */
export async function resolveVolume(pod: Pod, volume: Volume, client: KubeClient, signal: AbortSignal): Promise<ResolvedVolume> {
  const namespace = pod.metadata?.namespace ?? 'default';
  const claim = claimOfVolume(pod, volume);
  if (volume.hostPath) return { type: 'path', path: volume.hostPath.path, hostPathType: volume.hostPath.type ?? '', readOnly: false, fsGroup: false };
  if (volume.csi) {
    const handle = `csi-${createHash('sha256').update(`${namespace}${pod.metadata?.uid}${volume.name}`).digest('hex')}`;
    return { type: 'csi', spec: inlineSpec(pod, volume, handle) };
  }
  if (claim === undefined) return { type: 'pod', volume };
  const pvc: PersistentVolumeClaim = await client.api.persistentVolumeClaims(namespace).get(claim, { signal });
  if (volume.ephemeral && !pvc.metadata?.ownerReferences?.some((o) => o.controller && o.uid === pod.metadata?.uid)) {
    throw new Error(`PVC ${namespace}/${claim} was not created for pod ${namespace}/${pod.metadata?.name} (pod is not owner)`);
  }
  if (pvc.metadata?.deletionTimestamp) throw new Error('PVC is being deleted');
  const name = pvc.spec?.volumeName;
  if (!name || pvc.status?.phase !== 'Bound') throw new Error('PVC is not bound');
  const pv: PersistentVolume = await client.api.persistentVolumes().get(name, { signal });
  const bound = pv.spec?.claimRef;
  if (bound?.uid !== undefined && bound.uid !== pvc.metadata?.uid) throw new Error('PVC is not bound to the volume it names');
  const readOnly = volume.persistentVolumeClaim?.readOnly === true;
  const spec = pv.spec;
  if (spec?.hostPath) return { type: 'path', path: spec.hostPath.path, hostPathType: spec.hostPath.type ?? '', readOnly, fsGroup: false };
  if (spec?.local && spec.volumeMode === 'Block') return { type: 'device', path: spec.local.path, readOnly };
  if (spec?.local) return { type: 'path', path: spec.local.path, hostPathType: 'Directory', readOnly, fsGroup: true };
  if (spec?.csi) return { type: 'csi', spec: persistentSpec(pv, readOnly), bound: { claim: pvc, volume: pv } };
  throw new Error('no volume plugin matched');
}
