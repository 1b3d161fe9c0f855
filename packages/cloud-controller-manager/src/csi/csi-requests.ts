import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersistentVolume, PersistentVolumeClaim } from '@coxswain/api';
import { ControllerServiceCapability_RPC_Type as Capability, VolumeCapability_AccessMode_Mode as Mode, type VolumeCapabilitySchema } from '@coxswain/csi';

export type CapabilityInit = MessageInitShape<typeof VolumeCapabilitySchema>;

export interface VolumeUse {
  readonly accessModes: readonly string[];
  readonly block: boolean;
  readonly fsType: string;
  readonly mountFlags: readonly string[];
}

export const useOfVolume = (pv: PersistentVolume): VolumeUse => ({
  accessModes: pv.spec?.accessModes ?? [],
  block: pv.spec?.volumeMode === 'Block',
  fsType: pv.spec?.csi?.fsType ?? '',
  mountFlags: pv.spec?.mountOptions ?? [],
});

/** One capability for each access mode. `fine`: the driver tells one writer from several on a node. */
export function capabilitiesOf(use: VolumeUse, driver: ReadonlySet<Capability>): CapabilityInit[] {
  const fine = driver.has(Capability.SINGLE_NODE_MULTI_WRITER);
  const accessType: CapabilityInit['accessType'] = use.block
    ? { case: 'block', value: {} }
    : { case: 'mount', value: { fsType: use.fsType, mountFlags: [...use.mountFlags] } };
  return use.accessModes.map((mode) => ({ accessMode: { mode: accessMode(mode, fine) }, accessType }));
}

function accessMode(mode: string, fine: boolean): Mode {
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
      throw new Error(`unknown access mode ${mode}`);
  }
}

const RESERVED = 'csi.storage.k8s.io/';

/** The parameters of a class without those that are for us. Throws for one of ours that we do not know. */
export function driverParameters(parameters: Readonly<Record<string, string>> = {}): { readonly fsType?: string; readonly own: Record<string, string> } {
  const own: Record<string, string> = {};
  let fsType: string | undefined;
  for (const [key, value] of Object.entries(parameters)) {
    if (key === `${RESERVED}fstype`) fsType = value;
    else if (key.startsWith(RESERVED)) throw new Error(`storage class parameter ${key} is not supported`);
    else own[key] = value;
  }
  return { ...(fsType !== undefined && { fsType }), own };
}

export const claimKey = (claim: PersistentVolumeClaim): string => `${claim.metadata.namespace}/${claim.metadata.name}`;
