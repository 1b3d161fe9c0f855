import { compareQuantities, quantityValue, type Pod } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { KubeletEvents } from '../events.js';
import type { ResolvedVolume } from '../volumes/volume-source.js';
import type { CsiVolumes } from './csi-volumes.js';

/** The volume is larger than its claim says: grow the file system in it, and say so. */
export async function expandOnNode(
  pod: Pod,
  { spec, bound }: Extract<ResolvedVolume, { type: 'csi' }>,
  { csi, client, events }: { readonly csi: CsiVolumes; readonly client: KubeClient; readonly events: KubeletEvents },
  signal: AbortSignal,
): Promise<void> {
  const size = bound?.volume.spec?.capacity?.storage;
  const before = bound?.claim.status?.capacity?.storage;
  if (!bound || spec.readOnly || size === undefined || before === undefined || compareQuantities(size, before) <= 0) return;
  const { name = '', namespace } = bound.claim.metadata;
  try {
    await csi.expand(pod.metadata.uid ?? '', spec, quantityValue(size), signal);
  } catch (error) {
    signal.throwIfAborted();
    const message = `MountVolume.NodeExpandVolume failed for volume "${spec.name}" : ${(error as Error).message}`;
    events.pod(pod, 'Warning', 'VolumeResizeFailed', message);
    throw error;
  }
  const others = (bound.claim.status?.conditions ?? []).filter((c) => c.type !== 'Resizing' && c.type !== 'FileSystemResizePending');
  const status = { capacity: { storage: size }, conditions: others.length > 0 ? others : null };
  await client.api.persistentVolumeClaims(namespace).patch(name, 'merge', { status }, { subresource: 'status', signal });
  events.pod(pod, 'Normal', 'FileSystemResizeSuccessful', `MountVolume.NodeExpandVolume succeeded for volume "${spec.name}"`);
}
