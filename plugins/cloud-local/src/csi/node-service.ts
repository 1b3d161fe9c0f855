import { mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CsiError, type NodeService, NodeServiceCapability_RPC_Type as Capability, type VolumeCapability, VolumeUsage_Unit as Unit } from '@coxswain/csi';
import { bindMount, isMountPoint, mount, remountBind, umount } from '@coxswain/linux';
import type { LocalVolumes } from '../volumes.js';
import { checkCapability, required } from './csi-capabilities.js';
import { attachLoop, detachLoop, fileSystemOn, growUnmounted, loopOf, tool } from './loop-device.js';

const OFFERED = [Capability.STAGE_UNSTAGE_VOLUME, Capability.GET_VOLUME_STATS, Capability.EXPAND_VOLUME, Capability.SINGLE_NODE_MULTI_WRITER];

/** The node side of CSI on one host: disks become loop devices, are formatted when blank, mounted once and shown to each pod. */
export function nodeService(volumes: Pick<LocalVolumes, 'get' | 'path'>, nodeName: string): NodeService {
  /** Nobody uses a disk that the cloud did not attach here. */
  async function attachedDisk(volumeId: string): Promise<string> {
    const volume = await volumes.get(required(volumeId, 'volume_id'));
    if (!volume) throw new CsiError('notFound', `volume ${volumeId} does not exist`);
    if (volume.attachedTo !== nodeName) throw new CsiError('failedPrecondition', `volume ${volumeId} is not attached to ${nodeName}`);
    return volumes.path(volumeId);
  }

  async function stageMount(device: string, target: string, capability: VolumeCapability): Promise<void> {
    if (await isMountPoint(target)) return;
    const { fsType = '', mountFlags = [] } = capability.accessType.case === 'mount' ? capability.accessType.value : {};
    const wanted = fsType || 'ext4';
    const there = await fileSystemOn(device);
    if (there === '') await format(device, wanted);
    else if (fsType && there !== fsType) throw new CsiError('failedPrecondition', `the volume holds a file system of type ${there}, not ${fsType}`);
    // While it is mounted, growing takes a capability (CAP_SYS_RESOURCE) that not every machine gives.
    else if (there.startsWith('ext')) await growUnmounted(device);
    await mkdir(target, { recursive: true, mode: 0o750 });
    if (mountFlags.length > 0) await tool('mount', '-t', there || wanted, '-o', mountFlags.join(','), device, target);
    else await mount({ type: there || wanted, source: device, target });
    // Marks the device to go with its last mount, whoever takes that away.
    await tool('losetup', '--detach', device);
  }

  return {
    async nodeGetCapabilities() {
      return { capabilities: OFFERED.map((type) => ({ type: { case: 'rpc' as const, value: { type } } })) };
    },
    async nodeGetInfo() {
      return { nodeId: nodeName };
    },
    async nodeStageVolume({ volumeId, stagingTargetPath, volumeCapability }) {
      const target = required(stagingTargetPath, 'staging_target_path');
      const capability = checkCapability(volumeCapability);
      const device = await attachLoop(await attachedDisk(volumeId));
      if (capability.accessType.case === 'mount') await stageMount(device, target, capability);
      return {};
    },
    async nodeUnstageVolume({ volumeId, stagingTargetPath }) {
      const target = required(stagingTargetPath, 'staging_target_path');
      if (await exists(target)) while (await isMountPoint(target)) await umount(target);
      await detachLoop(volumes.path(required(volumeId, 'volume_id')));
      return {};
    },
    async nodePublishVolume({ volumeId, stagingTargetPath, targetPath, volumeCapability, readonly }) {
      const target = required(targetPath, 'target_path');
      const capability = checkCapability(volumeCapability);
      const disk = await attachedDisk(volumeId);
      if ((await exists(target)) && (await isMountPoint(target))) return {};
      if (capability.accessType.case === 'block') {
        const device = await loopOf(disk);
        if (!device) throw new CsiError('failedPrecondition', `volume ${volumeId} is not staged`);
        await mkdir(dirname(target), { recursive: true, mode: 0o750 });
        await writeFile(target, '', { flag: 'a', mode: 0o600 });
        await bindMount({ source: device, target });
        return {};
      }
      const source = required(stagingTargetPath, 'staging_target_path');
      if (!(await isMountPoint(source))) throw new CsiError('failedPrecondition', `volume ${volumeId} is not staged at ${source}`);
      await mkdir(target, { recursive: true, mode: 0o750 });
      await bindMount({ source, target });
      if (readonly) await remountBind(target, { readOnly: true });
      return {};
    },
    async nodeUnpublishVolume({ targetPath }) {
      const target = required(targetPath, 'target_path');
      if (await exists(target)) while (await isMountPoint(target)) await umount(target);
      await rm(target, { recursive: true, force: true });
      return {};
    },
    async nodeGetVolumeStats({ volumeId, volumePath }) {
      const path = required(volumePath, 'volume_path');
      const volume = await volumes.get(required(volumeId, 'volume_id'));
      if (!volume || !(await exists(path))) throw new CsiError('notFound', `volume ${volumeId} is not at ${path}`);
      if (!(await stat(path)).isDirectory()) return { usage: [{ unit: Unit.BYTES, total: BigInt(volume.sizeBytes) }] };
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
      return {
        usage: [
          { unit: Unit.BYTES, total: BigInt(blocks * bsize), available: BigInt(bavail * bsize), used: BigInt((blocks - bfree) * bsize) },
          { unit: Unit.INODES, total: BigInt(files), available: BigInt(ffree), used: BigInt(files - ffree) },
        ],
      };
    },
    async nodeExpandVolume({ volumeId, volumePath }) {
      const path = required(volumePath, 'volume_path');
      const device = await loopOf(await attachedDisk(volumeId));
      if (!device) throw new CsiError('failedPrecondition', `volume ${volumeId} is not staged`);
      await tool('losetup', '--set-capacity', device);
      const fileSystem = await fileSystemOn(device);
      if (fileSystem.startsWith('ext')) await tool('resize2fs', device);
      else if (fileSystem === 'xfs') await tool('xfs_growfs', path);
      return { capacityBytes: BigInt((await volumes.get(volumeId))?.sizeBytes ?? 0) };
    },
  };
}

async function format(device: string, type: string): Promise<void> {
  // No reserved blocks: all of it is for the pod. A fresh disk reads as zeros: nothing needs to be discarded or cleared.
  if (type.startsWith('ext')) await tool(`mkfs.${type}`, '-q', '-F', '-m', '0', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1', device);
  else await tool(`mkfs.${type}`, '-q', '-K', device);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
