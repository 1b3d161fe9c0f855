import type { PersistentVolume, Pod, Volume } from '@coxswain/api';
import { NodeServiceCapability_RPC_Type as Capability, VolumeCapability_AccessMode_Mode as Mode, type VolumeCapabilitySchema } from '@coxswain/csi';
import type { MessageInitShape } from '@bufbuild/protobuf';

/** A volume of a CSI driver as a pod uses it. */
export interface CsiVolumeSpec {
  /** The PersistentVolume's name, or the pod volume's for an inline one. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  readonly inline: boolean;
  readonly block: boolean;
  readonly readOnly: boolean;
  readonly fsType: string;
  readonly mountOptions: readonly string[];
  readonly accessMode: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly stageSecret?: SecretRef;
  readonly publishSecret?: SecretRef;
}

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

export function persistentSpec(pv: PersistentVolume, readOnly: boolean): CsiVolumeSpec {
  const csi = pv.spec?.csi;
  if (!csi) throw new Error(`volume ${pv.metadata.name ?? ''} is not of a CSI driver`);
  const secret = (ref: { name?: string; namespace?: string } | undefined) =>
    ref?.name ? { name: ref.name, namespace: ref.namespace ?? 'default' } : undefined;
  const stageSecret = secret(csi.nodeStageSecretRef);
  const publishSecret = secret(csi.nodePublishSecretRef);
  return {
    name: pv.metadata.name ?? '',
    driver: csi.driver,
    handle: csi.volumeHandle,
    inline: false,
    block: pv.spec?.volumeMode === 'Block',
    readOnly: readOnly || csi.readOnly === true,
    fsType: csi.fsType ?? '',
    mountOptions: pv.spec?.mountOptions ?? [],
    accessMode: pv.spec?.accessModes?.[0] ?? 'ReadWriteOnce',
    attributes: csi.volumeAttributes ?? {},
    ...(stageSecret && { stageSecret }),
    ...(publishSecret && { publishSecret }),
  };
}

/** A volume that lives as long as the pod, by the driver alone. `handle` must be this pod's only. */
export function inlineSpec(pod: Pod, volume: Volume, handle: string): CsiVolumeSpec {
  const csi = volume.csi;
  if (!csi) throw new Error(`volume ${volume.name} is not of a CSI driver`);
  const secret = csi.nodePublishSecretRef?.name;
  return {
    name: volume.name,
    driver: csi.driver,
    handle,
    inline: true,
    block: false,
    readOnly: csi.readOnly === true,
    fsType: csi.fsType ?? '',
    mountOptions: [],
    accessMode: 'ReadWriteOnce',
    attributes: csi.volumeAttributes ?? {},
    ...(secret && { publishSecret: { name: secret, namespace: pod.metadata.namespace ?? 'default' } }),
  };
}

/** What the driver is told of how the volume is used. */
export function volumeCapability(
  spec: CsiVolumeSpec,
  driver: ReadonlySet<Capability>,
  fsGroup: number | undefined,
): MessageInitShape<typeof VolumeCapabilitySchema> {
  const accessMode = { mode: accessModeOf(spec.accessMode, driver.has(Capability.SINGLE_NODE_MULTI_WRITER)) };
  if (spec.block) return { accessMode, accessType: { case: 'block', value: {} } };
  const group = fsGroup !== undefined && driver.has(Capability.VOLUME_MOUNT_GROUP) ? { volumeMountGroup: String(fsGroup) } : {};
  return { accessMode, accessType: { case: 'mount', value: { fsType: spec.fsType, mountFlags: [...spec.mountOptions], ...group } } };
}

function accessModeOf(mode: string, fine: boolean): Mode {
  switch (mode) {
    case 'ReadWriteOnce':
      return fine ? Mode.SINGLE_NODE_MULTI_WRITER : Mode.SINGLE_NODE_WRITER;
    case 'ReadWriteOncePod':
      return fine ? Mode.SINGLE_NODE_SINGLE_WRITER : Mode.SINGLE_NODE_WRITER;
    case 'ReadOnlyMany':
      return Mode.MULTI_NODE_READER_ONLY;
    case 'ReadWriteMany':
      return Mode.MULTI_NODE_MULTI_WRITER;
    default:
      throw new Error(`access mode ${mode} is not known to this kubelet`);
  }
}
