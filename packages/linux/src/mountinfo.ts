import { readFile } from 'node:fs/promises';
import { LinuxError } from './errors.js';
import { umount } from './mount.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';

/** One line of /proc/self/mountinfo: proc(5). */
export interface MountInfo {
  readonly id: number;
  readonly parentId: number;
  readonly device: string;
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`… */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

const unescapeOctal = (text: string) => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Pure. Lines that do not parse are left out: the kernel may add kinds we do not know. */
export function parseMountInfo(text: string): MountInfo[] {
  const out: MountInfo[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    if (!left || !right) continue;
    const [id, parentId, device, root, mountPoint, options, ...propagation] = left.split(' ');
    const [type, source, superOptions] = right.split(' ');
    if (!device || root === undefined || !mountPoint || !type) continue;
    out.push({
      id: Number(id),
      parentId: Number(parentId),
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      options: options?.split(',') ?? [],
      propagation,
      type,
      source: unescapeOctal(source ?? ''),
      superOptions: superOptions?.split(',') ?? [],
    });
  }
  return out;
}

/** All mounts this process sees, in the order they were made. */
export async function mounts(): Promise<MountInfo[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await mounts()).some((m) => m.mountPoint === path);
}

/** Unmounts everything at and below `path`, innermost first; a busy mount is detached. Idempotent. Returns how many. */
export async function umountAll(path: string, thread: SyscallThread = sharedThread()): Promise<number> {
  const inside = (await mounts()).filter((m) => m.mountPoint === path || m.mountPoint.startsWith(path.endsWith('/') ? path : `${path}/`));
  for (const { mountPoint } of inside.reverse()) await umountOne(mountPoint, thread);
  return inside.length;
}

/**
 * Unmounts what is mounted at `target` itself, however often; what is busy, or has mounts below it, is detached with them. Idempotent.
 * Unlike `umountAll` it does not read all mounts of the machine.
 */
export async function umountTarget(target: string, thread: SyscallThread = sharedThread()): Promise<void> {
  while (await umountOne(target, thread));
}

/** False: nothing is mounted there, or no longer. */
async function umountOne(target: string, thread: SyscallThread): Promise<boolean> {
  try {
    await umount(target, {}, thread);
  } catch (error) {
    if (!(error instanceof LinuxError)) throw error;
    if (error.code === 'EBUSY') await umount(target, { lazy: true }, thread);
    else if (error.code === 'EINVAL' || error.code === 'ENOENT') return false;
    else throw error;
  }
  return true;
}
