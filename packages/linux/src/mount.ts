import { mkdir } from 'node:fs/promises';
import { LinuxError, linuxError } from './errors.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';

// linux/mount.h
const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  NOATIME: 1024,
  BIND: 4096,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
  RELATIME: 1 << 21,
} as const;
const MNT_FORCE = 1;
const MNT_DETACH = 2;

export interface MountFlags {
  readonly readOnly?: boolean;
  readonly noSuid?: boolean;
  readonly noDev?: boolean;
  readonly noExec?: boolean;
  readonly noAtime?: boolean;
  readonly relatime?: boolean;
}

function bits(flags: MountFlags): number {
  return (
    (flags.readOnly ? MS.RDONLY : 0) |
    (flags.noSuid ? MS.NOSUID : 0) |
    (flags.noDev ? MS.NODEV : 0) |
    (flags.noExec ? MS.NOEXEC : 0) |
    (flags.noAtime ? MS.NOATIME : 0) |
    (flags.relatime ? MS.RELATIME : 0)
  );
}

async function call(thread: SyscallThread, operation: string, source: string, target: string, type: string, flags: number, data: string | null): Promise<void> {
  try {
    await thread.run({ op: 'mount', source, target, type, flags, data });
  } catch (error) {
    throw error instanceof LinuxError ? linuxError(operation, error.errno, error.kernel) : error;
  }
}

/** mount(2). `data` is the file system's own option string. The target must exist. */
export async function mount(
  options: { readonly type: string; readonly source?: string; readonly target: string; readonly data?: string } & MountFlags,
  thread: SyscallThread = sharedThread(),
): Promise<void> {
  const { type, source = type, target, data = null } = options;
  await call(thread, `mount ${type} at ${target}`, source, target, type, bits(options), data);
}

/** Shows `source` at `target` too. Flags other than the source's need a second step, which is taken when they are given. */
export async function bindMount(
  options: { readonly source: string; readonly target: string; readonly recursive?: boolean } & MountFlags,
  thread: SyscallThread = sharedThread(),
): Promise<void> {
  const { source, target, recursive = true } = options;
  await call(thread, `bind ${source} at ${target}`, source, target, '', MS.BIND | (recursive ? MS.REC : 0), null);
  const flags = bits(options);
  if (flags === 0) return;
  try {
    await remountBind(target, options, thread);
  } catch (error) {
    // Never leave a mount that is more permissive than asked for.
    await umount(target, { lazy: true }, thread);
    throw error;
  }
}

/**
 * Shows `source` at `target` too, its files owned as the user namespace at the path `userns` maps their owners. Mounts below it come along
 * as they are. The target must exist, a file for a file. Needs a file system that knows how, else `EINVAL`.
 */
export async function idmapMount(
  options: { readonly source: string; readonly target: string; readonly userns: string },
  thread: SyscallThread = sharedThread(),
): Promise<void> {
  const { source, target, userns } = options;
  try {
    await thread.run({ op: 'idmapMount', source, target, userns });
  } catch (error) {
    if (!(error instanceof LinuxError)) throw error;
    const unable = error.operation === 'mount_setattr' && error.code === 'EINVAL';
    throw linuxError(
      `map the owners of ${source}`,
      error.errno,
      unable ? 'its file system does not support id-mapped mounts on this kernel' : (error.kernel ?? error.operation),
    );
  }
}

/** Changes the flags of one bind mount (not of those below it). */
export async function remountBind(target: string, flags: MountFlags, thread: SyscallThread = sharedThread()): Promise<void> {
  await call(thread, `remount ${target}`, '', target, '', MS.REMOUNT | MS.BIND | bits(flags), null);
}

export interface TmpfsOptions extends MountFlags {
  readonly target: string;
  /** Absent: the kernel's half of memory. */
  readonly sizeBytes?: number;
  /** Octal permission bits, default 0o777. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A file system in memory; makes the target when missing. */
export async function mountTmpfs(options: TmpfsOptions, thread: SyscallThread = sharedThread()): Promise<void> {
  const { target, sizeBytes, mode = 0o777, uid, gid } = options;
  await mkdir(target, { recursive: true });
  const data = [`mode=${mode.toString(8)}`];
  if (sizeBytes !== undefined) data.push(`size=${sizeBytes}`);
  if (uid !== undefined) data.push(`uid=${uid}`);
  if (gid !== undefined) data.push(`gid=${gid}`);
  await call(thread, `mount tmpfs at ${target}`, 'tmpfs', target, 'tmpfs', bits(options), data.join(','));
}

export type Propagation = 'private' | 'slave' | 'shared' | 'unbindable';
const PROPAGATION: Record<Propagation, number> = { private: MS.PRIVATE, slave: MS.SLAVE, shared: MS.SHARED, unbindable: MS.UNBINDABLE };

/** How mounts below `target` spread to copies of it. */
export async function setPropagation(
  target: string,
  propagation: Propagation,
  options: { readonly recursive?: boolean } = {},
  thread: SyscallThread = sharedThread(),
): Promise<void> {
  await call(thread, `make ${target} ${propagation}`, '', target, '', PROPAGATION[propagation] | (options.recursive ? MS.REC : 0), null);
}

export interface UmountOptions {
  /** Out of the tree at once, freed when nothing uses it any more. */
  readonly lazy?: boolean;
  readonly force?: boolean;
}

/** umount(2) of the topmost mount at `target`. A busy one is refused with `EBUSY`: see `umountAll`. */
export async function umount(target: string, options: UmountOptions = {}, thread: SyscallThread = sharedThread()): Promise<void> {
  try {
    await thread.run({ op: 'umount', target, flags: (options.lazy ? MNT_DETACH : 0) | (options.force ? MNT_FORCE : 0) });
  } catch (error) {
    throw error instanceof LinuxError ? linuxError(`umount ${target}`, error.errno, error.kernel) : error;
  }
}
