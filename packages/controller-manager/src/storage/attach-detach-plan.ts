import { createHash } from 'node:crypto';
import type { CSIDriver, Node, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment } from '@coxswain/api';
import { claimsOfVolumes } from '@coxswain/apimachinery';
import { isFinished } from '../pods/pod-state.js';

/** A volume that has to be attached to a node for a pod that is there. */
export interface WantedAttachment {
  readonly name: string;
  readonly volume: PersistentVolume;
  readonly driver: string;
  readonly handle: string;
  readonly node: string;
  readonly pod: Pod;
}

export interface AttachView {
  readonly pods: readonly Pod[];
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  driver(name: string): CSIDriver | undefined;
}

/** As every kubelet computes it. */
export const attachmentName = (driver: string, handle: string, node: string): string =>
  `csi-${createHash('sha256').update(`${handle}${driver}${node}`).digest('hex')}`;

export const uniqueVolumeName = (driver: string, handle: string): string => `kubernetes.io/csi/${driver}^${handle}`;

/** What the pods on a node need attached, by the attachment's name. Pure. */
export function wantedAttachments(node: string, view: AttachView): Map<string, WantedAttachment> {
  const out = new Map<string, WantedAttachment>();
  for (const pod of view.pods) {
    if (pod.spec?.nodeName !== node || isFinished(pod)) continue;
    for (const claimName of claimsOfVolumes(pod)) {
      const claim = view.claim(pod.metadata.namespace ?? '', claimName);
      const volume = claim?.spec?.volumeName ? view.volume(claim.spec.volumeName) : undefined;
      const csi = volume?.spec?.csi;
      // A volume that somebody else's claim has is not this pod's.
      if (!volume || !csi || volume.spec?.claimRef?.uid !== claim?.metadata.uid) continue;
      if (view.driver(csi.driver)?.spec.attachRequired === false) continue;
      const name = attachmentName(csi.driver, csi.volumeHandle, node);
      if (!out.has(name)) out.set(name, { name, volume, driver: csi.driver, handle: csi.volumeHandle, node, pod });
    }
  }
  return out;
}

/** Only one node may have it at a time. */
export const isExclusive = (volume: PersistentVolume): boolean =>
  !(volume.spec?.accessModes ?? []).some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany');

/** The attachments of a volume to other nodes. */
export function elsewhere(wanted: WantedAttachment, attachments: readonly VolumeAttachment[]): VolumeAttachment[] {
  return attachments.filter((a) => a.spec.source.persistentVolumeName === wanted.volume.metadata.name && a.spec.nodeName !== wanted.node);
}

/** Whether the node may still use the volume, so that nobody takes it away. A node that is shut down for good uses nothing. */
export function mayStillUse(node: Node | undefined, volumeName: string): boolean {
  if (!node || node.spec?.taints?.some((t) => t.key === 'node.kubernetes.io/out-of-service')) return false;
  return node.status?.volumesInUse?.includes(volumeName) ?? false;
}
