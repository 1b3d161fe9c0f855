import { compareQuantities, quantityValue, type KubeObject, type PersistentVolume, type PersistentVolumeClaim } from '@coxswain/api';
import { formatTime } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ManagedContext } from '@coxswain/controller';
import type { CsiControllerConfig } from './csi-controller-config.js';
import type { ControlledDriver } from './csi-controller.js';
import { quantityText, text } from './csi-provisioner.js';
import { capabilitiesOf, claimKey, useOfVolume } from './csi-requests.js';

/** Grows volumes whose claim asks for more; what is to be done on the node is left to the kubelet there. */
export function csiResizer({ client, informers, events, clock }: ManagedContext<CsiControllerConfig>, driver: ControlledDriver): Controller {
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const volumes = informers.informer(Resources.persistentVolumes);

  const event = (claim: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string) =>
    events(claim as KubeObject, type, reason, message);

  const pvOf = (claim: PersistentVolumeClaim): PersistentVolume | undefined => {
    const pv = claim.status?.phase === 'Bound' ? volumes.lister.get(claim.spec?.volumeName ?? '') : undefined;
    return pv?.spec?.csi?.driver === driver.name && pv.spec.claimRef?.uid === claim.metadata.uid ? pv : undefined;
  };

  const grows = (claim: PersistentVolumeClaim): boolean =>
    compareQuantities(claim.spec?.resources?.requests?.storage ?? '0', claim.status?.capacity?.storage ?? '0') > 0 && pvOf(claim) !== undefined;

  async function setConditions(claim: PersistentVolumeClaim, type: string | undefined, size: string | undefined, signal: AbortSignal): Promise<void> {
    const others = (claim.status?.conditions ?? []).filter((c) => c.type !== 'Resizing' && c.type !== 'FileSystemResizePending');
    const now = formatTime(clock.now());
    const message = type === 'FileSystemResizePending' ? 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.' : '';
    const conditions = type === undefined ? others : [...others, { type, status: 'True', lastProbeTime: null, lastTransitionTime: now, message }];
    const status = { conditions: conditions.length > 0 ? conditions : null, ...(size !== undefined && { capacity: { storage: size } }) };
    await client.api.persistentVolumeClaims(claim.metadata.namespace).patch(claim.metadata.name ?? '', 'merge', { status }, { subresource: 'status', signal });
  }

  async function expand(claim: PersistentVolumeClaim, pv: PersistentVolume, wanted: string, signal: AbortSignal): Promise<{ size: string; onNode: boolean }> {
    event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${pv.metadata.name}`);
    if (!claim.status?.conditions?.some((c) => c.type === 'Resizing')) await setConditions(claim, 'Resizing', undefined, signal);
    const [volumeCapability] = capabilitiesOf(useOfVolume(pv), driver.capabilities);
    const response = await driver.connection.controller.controllerExpandVolume(
      {
        volumeId: pv.spec?.csi?.volumeHandle ?? '',
        capacityRange: { requiredBytes: BigInt(Math.ceil(quantityValue(wanted))) },
        ...(volumeCapability && { volumeCapability }),
      },
      { signal },
    );
    const size = quantityText(response.capacityBytes);
    if (pv.spec?.capacity?.storage !== size)
      await client.api.persistentVolumes().patch(pv.metadata.name ?? '', 'merge', { spec: { capacity: { storage: size } } }, { signal });
    return { size, onNode: response.nodeExpansionRequired };
  }

  return {
    name: 'csi-resizer',
    backoff: { baseMs: 1000, maxMs: 300_000 },
    watch: (queue) => {
      const look = (c: PersistentVolumeClaim) => grows(c) && queue.add(claimKey(c));
      return claims.addHandler({ add: look, update: (_old, c) => look(c) });
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const claim = claims.lister.get(name, namespace);
      const pv = claim && pvOf(claim);
      if (!claim || !pv || !grows(claim)) return undefined;
      const wanted = claim.spec?.resources?.requests?.storage ?? '0';
      const pending = claim.status?.conditions?.some((c) => c.type === 'FileSystemResizePending');
      // The volume is large enough; its node is not done yet.
      if (pending && compareQuantities(pv.spec?.capacity?.storage ?? '0', wanted) >= 0) return undefined;
      try {
        const { size, onNode } = await expand(claim, pv, wanted, signal);
        if (onNode && pv.spec?.volumeMode !== 'Block') {
          await setConditions(claim, 'FileSystemResizePending', undefined, signal);
          event(claim, 'Normal', 'FileSystemResizeRequired', 'Require file system resize of volume on node');
        } else {
          await setConditions(claim, undefined, size, signal);
          event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded');
        }
      } catch (error) {
        signal.throwIfAborted();
        event(claim, 'Warning', 'VolumeResizeFailed', `resize volume "${pv.metadata.name}" by resizer "${driver.name}" failed: ${text(error)}`);
        throw error;
      }
      return undefined;
    },
  };
}
