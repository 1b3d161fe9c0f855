import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CSIDriver, Pod } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { NodeServiceCapability_RPC_Type as Capability, VolumeUsage_Unit as Unit } from '@coxswain/csi';
import { isMountPoint } from '@coxswain/linux';
import { applyFsGroup } from '../volumes/ownership.js';
import type { CsiAttachments } from './csi-attachments.js';
import type { CsiDrivers, RegisteredDriver } from './csi-drivers.js';
import { attachmentName, type CsiPaths } from './csi-paths.js';
import { entries, readRecords, type VolumeRecord, writeRecord } from './csi-records.js';
import { type CsiVolumeSpec, type SecretRef, volumeCapability } from './csi-spec.js';
import { KeyedTurns } from './keyed-turns.js';

export interface CsiVolumesDeps {
  readonly client: KubeClient;
  readonly drivers: CsiDrivers;
  readonly attachments: CsiAttachments;
  readonly paths: CsiPaths;
  readonly nodeName: string;
}

export interface CsiSetup {
  readonly fsGroup?: number | undefined;
  readonly policy: 'Always' | 'OnRootMismatch';
}

/** Where a volume is: a folder, or (block volumes) a device. */
export type CsiMounted = { readonly path: string } | { readonly device: string };

export interface CsiUsage {
  readonly availableBytes?: number;
  readonly capacityBytes?: number;
  readonly usedBytes?: number;
  readonly inodesFree?: number;
  readonly inodes?: number;
  readonly inodesUsed?: number;
}

/**
 * Volumes of CSI drivers on this node: staged once, published to each pod, and taken down in reverse. Every step is idempotent, and what was
 * done is on disk before it is done: a kubelet that starts anew goes on where the last one stopped.
 */
export class CsiVolumes {
  readonly #turns = new KeyedTurns();

  constructor(private readonly deps: CsiVolumesDeps) {}

  /** What a former kubelet left staged is in use until it is unstaged. Call before the node tells of itself. */
  async load(): Promise<void> {
    const { paths, attachments } = this.deps;
    for (const driver of await entries(paths.drivers)) {
      for (const { record } of await readRecords(join(paths.drivers, driver))) if (record.attachmentID) attachments.use(record.driverName, record.volumeHandle);
    }
  }

  /** Makes the volume appear for the pod. Rejects with upstream's words when it cannot yet: try again later. */
  async setup(pod: Pod, spec: CsiVolumeSpec, options: CsiSetup, signal: AbortSignal): Promise<CsiMounted> {
    const { paths, drivers, attachments, nodeName } = this.deps;
    const uid = pod.metadata.uid ?? '';
    const target = this.target(uid, spec);
    const done: CsiMounted = spec.block ? { device: target } : { path: target };
    if (await isMountPoint(target).catch(() => false)) return done;
    const driver = drivers.get(spec.driver);
    const object = await this.#driverObject(spec.driver, signal);
    const mode = spec.inline ? 'Ephemeral' : 'Persistent';
    if (!(object?.spec.volumeLifecycleModes ?? ['Persistent']).includes(mode))
      throw new Error(`volume mode "${mode}" not supported by driver ${spec.driver} (no CSIDriver object, or its volumeLifecycleModes lack it)`);
    const attachable = !spec.inline && object?.spec.attachRequired !== false;
    const publishContext = attachable ? await attachments.attached(spec.driver, spec.handle, signal) : {};
    const record: VolumeRecord = {
      specVolID: spec.name,
      volumeHandle: spec.handle,
      driverName: spec.driver,
      volumeLifecycleMode: mode,
      attachmentID: attachable ? attachmentName(spec.driver, spec.handle, nodeName) : '',
      block: spec.block,
    };
    await this.#turns.take(turn(record), async () => {
      const capability = volumeCapability(spec, driver.capabilities, options.fsGroup);
      const stage = !spec.inline && driver.capabilities.has(Capability.STAGE_UNSTAGE_VOLUME);
      const staging = stage ? this.#staging(record) : '';
      // Its own folder tells what is attached here, also for drivers that stage nothing.
      if (!spec.inline) await writeRecord(paths.stagingDir(spec.driver, spec.handle), record);
      if (stage) {
        await mkdir(staging, { recursive: true, mode: 0o750 });
        const secrets = await this.#secrets(spec.stageSecret, signal);
        await driver.connection.node.nodeStageVolume(
          { volumeId: spec.handle, publishContext, stagingTargetPath: staging, volumeCapability: capability, secrets, volumeContext: spec.attributes },
          { signal },
        );
      }
      await writeRecord(this.#podDir(uid, record), record);
      await mkdir(dirname(target), { recursive: true, mode: 0o750 });
      await driver.connection.node.nodePublishVolume(
        {
          volumeId: spec.handle,
          publishContext,
          stagingTargetPath: staging,
          targetPath: target,
          volumeCapability: capability,
          readonly: spec.readOnly,
          secrets: await this.#secrets(spec.publishSecret, signal),
          volumeContext: { ...spec.attributes, ...(object?.spec.podInfoOnMount ? podInfo(pod, spec.inline) : {}) },
        },
        { signal },
      );
      if (options.fsGroup !== undefined && ownsByGroup(object, spec, driver)) await applyFsGroup(target, options.fsGroup, options.policy);
    });
    return done;
  }

  /** Grows the file system of a published volume; undefined when the driver has nothing to do on the node. */
  async expand(uid: string, spec: CsiVolumeSpec, bytes: number, signal: AbortSignal): Promise<boolean> {
    const driver = this.deps.drivers.get(spec.driver);
    if (!driver.capabilities.has(Capability.EXPAND_VOLUME)) return false;
    await this.#turns.take(turn({ driverName: spec.driver, volumeHandle: spec.handle }), () =>
      driver.connection.node.nodeExpandVolume(
        {
          volumeId: spec.handle,
          volumePath: this.target(uid, spec),
          stagingTargetPath: spec.block ? this.deps.paths.blockStaging(spec.name) : this.deps.paths.staging(spec.driver, spec.handle),
          capacityRange: { requiredBytes: BigInt(bytes) },
          volumeCapability: volumeCapability(spec, driver.capabilities, undefined),
        },
        { signal },
      ),
    );
    return true;
  }

  /** What is used of a published volume; undefined when its driver does not tell. */
  async usage(uid: string, spec: CsiVolumeSpec, signal: AbortSignal): Promise<CsiUsage | undefined> {
    const driver = this.deps.drivers.get(spec.driver);
    if (!driver.capabilities.has(Capability.GET_VOLUME_STATS)) return undefined;
    const { usage } = await driver.connection.node.nodeGetVolumeStats({ volumeId: spec.handle, volumePath: this.target(uid, spec) }, { signal });
    const bytes = usage.find((u) => u.unit === Unit.BYTES);
    const inodes = usage.find((u) => u.unit === Unit.INODES);
    return {
      ...(bytes && { availableBytes: Number(bytes.available), capacityBytes: Number(bytes.total), usedBytes: Number(bytes.used) }),
      ...(inodes && { inodesFree: Number(inodes.available), inodes: Number(inodes.total), inodesUsed: Number(inodes.used) }),
    };
  }

  /** Takes all CSI volumes of a pod down, and unstages those that no other pod here has. Idempotent; also for pods of a former life. */
  async teardown(uid: string, signal: AbortSignal): Promise<void> {
    const { paths } = this.deps;
    for (const folder of [paths.podDir(uid), paths.podBlockDir(uid)]) {
      for (const { dir, record } of await readRecords(folder)) await this.#turns.take(turn(record), () => this.#takeDown(uid, dir, record, signal));
    }
  }

  target(uid: string, spec: Pick<CsiVolumeSpec, 'name' | 'block'>): string {
    const { paths } = this.deps;
    return spec.block ? paths.blockPublish(spec.name, uid) : join(paths.podDir(uid), spec.name, 'mount');
  }

  async #takeDown(uid: string, dir: string, record: VolumeRecord, signal: AbortSignal): Promise<void> {
    const { paths, drivers, attachments } = this.deps;
    const driver = drivers.get(record.driverName);
    const targetPath = this.target(uid, { name: record.specVolID, block: record.block });
    await driver.connection.node.nodeUnpublishVolume({ volumeId: record.volumeHandle, targetPath }, { signal });
    if (await isMountPoint(targetPath).catch(() => false)) throw new Error(`driver ${record.driverName} left ${targetPath} mounted`);
    await rm(targetPath, { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
    if (record.volumeLifecycleMode === 'Ephemeral' || (await this.#usedByAnother(record))) return;
    if (driver.capabilities.has(Capability.STAGE_UNSTAGE_VOLUME)) {
      const stagingTargetPath = this.#staging(record);
      await driver.connection.node.nodeUnstageVolume({ volumeId: record.volumeHandle, stagingTargetPath }, { signal });
      if (await isMountPoint(stagingTargetPath).catch(() => false)) throw new Error(`driver ${record.driverName} left ${stagingTargetPath} mounted`);
      await rm(stagingTargetPath, { recursive: true, force: true });
    }
    await rm(paths.stagingDir(record.driverName, record.volumeHandle), { recursive: true, force: true });
    if (record.attachmentID) attachments.release(record.driverName, record.volumeHandle);
  }

  async #usedByAnother({ driverName, volumeHandle }: VolumeRecord): Promise<boolean> {
    const { paths } = this.deps;
    for (const uid of await entries(paths.pods)) {
      const records = [...(await readRecords(paths.podDir(uid))), ...(await readRecords(paths.podBlockDir(uid)))];
      if (records.some(({ record }) => record.driverName === driverName && record.volumeHandle === volumeHandle)) return true;
    }
    return false;
  }

  #staging(record: VolumeRecord): string {
    const { paths } = this.deps;
    return record.block ? paths.blockStaging(record.specVolID) : paths.staging(record.driverName, record.volumeHandle);
  }

  #podDir(uid: string, record: VolumeRecord): string {
    return join(record.block ? this.deps.paths.podBlockDir(uid) : this.deps.paths.podDir(uid), record.specVolID);
  }

  async #driverObject(name: string, signal: AbortSignal): Promise<CSIDriver | undefined> {
    return this.deps.client.api
      .csiDrivers()
      .get(name, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        return undefined;
      });
  }

  async #secrets(ref: SecretRef | undefined, signal: AbortSignal): Promise<Record<string, string>> {
    if (!ref) return {};
    const secret = await this.deps.client.api.secrets(ref.namespace).get(ref.name, { signal });
    return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
  }
}

const turn = (record: Pick<VolumeRecord, 'driverName' | 'volumeHandle'>): string => `${record.driverName}^${record.volumeHandle}`;

function podInfo(pod: Pod, inline: boolean): Record<string, string> {
  const { name = '', namespace = 'default', uid = '' } = pod.metadata;
  return {
    'csi.storage.k8s.io/pod.name': name,
    'csi.storage.k8s.io/pod.namespace': namespace,
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': pod.spec?.serviceAccountName ?? 'default',
    'csi.storage.k8s.io/ephemeral': String(inline),
  };
}

/** Whether the kubelet gives the volume to the pod's group, or leaves that to the driver. */
function ownsByGroup(object: CSIDriver | undefined, spec: CsiVolumeSpec, driver: RegisteredDriver): boolean {
  if (spec.block || spec.readOnly || driver.capabilities.has(Capability.VOLUME_MOUNT_GROUP)) return false;
  switch (object?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType') {
    case 'File':
      return true;
    case 'None':
      return false;
    default:
      return spec.fsType !== '' && ['ReadWriteOnce', 'ReadWriteOncePod'].includes(spec.accessMode);
  }
}
