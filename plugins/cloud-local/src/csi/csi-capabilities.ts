import { CsiError, type VolumeCapability, VolumeCapability_AccessMode_Mode as Mode } from '@coxswain/csi';

const SINGLE_NODE: ReadonlySet<Mode> = new Set([
  Mode.SINGLE_NODE_WRITER,
  Mode.SINGLE_NODE_READER_ONLY,
  Mode.SINGLE_NODE_SINGLE_WRITER,
  Mode.SINGLE_NODE_MULTI_WRITER,
]);

export const FILE_SYSTEMS = ['ext4', 'ext3', 'xfs'] as const;

/** Why a disk cannot be used so; undefined: it can. */
export function refusal({ accessMode, accessType }: VolumeCapability): string | undefined {
  const mode = accessMode?.mode ?? Mode.UNKNOWN;
  if (!SINGLE_NODE.has(mode)) return `access mode ${Mode[mode]} is not supported: a disk is attached to one node at a time`;
  if (accessType.case === undefined) return 'volume_capability has neither block nor mount';
  if (accessType.case === 'mount' && accessType.value.fsType && !(FILE_SYSTEMS as readonly string[]).includes(accessType.value.fsType))
    return `file system ${accessType.value.fsType} is not supported: choose one of ${FILE_SYSTEMS.join(', ')}`;
  return undefined;
}

export function checkCapability(capability: VolumeCapability | undefined): VolumeCapability {
  if (!capability) throw new CsiError('invalidArgument', 'volume_capability is required');
  const why = refusal(capability);
  if (why) throw new CsiError('invalidArgument', why);
  return capability;
}

export function required(value: string, field: string): string {
  if (!value) throw new CsiError('invalidArgument', `${field} is required`);
  return value;
}
