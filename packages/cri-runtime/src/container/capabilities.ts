import { CriError } from '@coxswain/cri';

/** linux/capability.h, in order of their numbers. */
export const ALL_CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW ' +
  'IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD ' +
  'LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** What a container has unless told otherwise: containerd's and Docker's default. */
export const DEFAULT_CAPABILITIES = 'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
  .split(' ')
  .map((name) => `CAP_${name}`);

/** The capabilities this process may give: its own bounding set. `mask` is CapBnd of /proc/self/status. Pure. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return ALL_CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n);
}

export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly available: readonly string[];
}

/** The container's capability set. `ALL` is everything this machine can give; dropping ALL starts from nothing. Pure. */
export function containerCapabilities({ privileged, add, drop, available }: CapabilityRequest): string[] {
  if (privileged) return [...available];
  const normal = (name: string) => {
    const upper = name.toUpperCase();
    return upper === 'ALL' ? 'ALL' : upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  };
  const added = add.map(normal);
  const dropped = drop.map(normal);
  for (const name of [...added, ...dropped]) {
    if (name !== 'ALL' && !ALL_CAPABILITIES.includes(name)) throw new CriError('invalidArgument', `unknown capability ${JSON.stringify(name)}`);
  }
  let set = new Set<string>(DEFAULT_CAPABILITIES.filter((c) => available.includes(c)));
  if (added.includes('ALL')) set = new Set(available);
  if (dropped.includes('ALL')) set = new Set(added.includes('ALL') ? available : []);
  for (const name of added) if (name !== 'ALL') set.add(name);
  for (const name of dropped) if (name !== 'ALL') set.delete(name);
  return ALL_CAPABILITIES.filter((c) => set.has(c));
}
