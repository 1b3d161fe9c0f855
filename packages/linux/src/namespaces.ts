import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setLinkMessage } from './netlink/link-messages.js';
import { umount } from './mount.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';
import { sysctlNamespace, sysctlPath } from './sysctl.js';

/** The namespaces that live on without a process in them. */
export type PinnableNamespace = 'net' | 'ipc' | 'uts' | 'user';

const FLAGS: Record<PinnableNamespace, number> = { net: 0x40000000, ipc: 0x08000000, uts: 0x04000000, user: 0x10000000 };

/** CLONE_NEW* flags of unshare(2). */
export const namespaceFlags = (kinds: readonly PinnableNamespace[]) => kinds.reduce((all, kind) => all | FLAGS[kind], 0);

/** A bind mount of a namespace has the file system type nsfs. */
const NSFS_MAGIC = 0x6e736673;

export interface CreateNamespacesOptions {
  /** Made when missing. The namespaces become files in it, named after their kinds. */
  readonly dir: string;
  readonly kinds: readonly PinnableNamespace[];
  /** Needs `uts`. */
  readonly hostname?: string;
  /** `net.ipv4.ip_forward` → value. Only the namespaced ones of `kinds` are allowed: others would change the host. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /**
   * Pin the namespaces of this process, which are its user namespace's, instead of new ones; `rootUid` is who is 0 there. `user` is to be
   * had so only: the kernel makes none for a process with threads.
   */
  readonly of?: { readonly pid: number; readonly rootUid: number };
  /** Bring `lo` up; default true. */
  readonly loopback?: boolean;
}

export type PinnedNamespaces = Readonly<Partial<Record<PinnableNamespace, string>>>;

/**
 * New namespaces, pinned by bind mounts, so that no process is needed to hold them. All or nothing.
 * About 1 ms; the event loop does not wait.
 */
export async function createPinnedNamespaces(options: CreateNamespacesOptions, thread: SyscallThread = sharedThread()): Promise<PinnedNamespaces> {
  const { dir, kinds, hostname, sysctls = {}, loopback = true, of } = options;
  if (kinds.includes('user') && !of) throw new TypeError('a user namespace can only be taken from a process');
  if (hostname !== undefined && !kinds.includes('uts')) throw new TypeError('a host name needs a uts namespace of its own');
  const settings = Object.entries(sysctls).map(([name, value]) => {
    const namespace = sysctlNamespace(name);
    if (!namespace || !kinds.includes(namespace)) throw new TypeError(`sysctl ${name} is not of a namespace being created (${kinds.join(', ')})`);
    // The kernel asks who owns an IPC namespace's settings, not what the writer is capable of.
    return { path: sysctlPath(name), value, ...(of && namespace === 'ipc' ? { as: of.rootUid } : {}) };
  });
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const pins = kinds.map((kind) => ({ kind, path: join(dir, kind), flag: FLAGS[kind] }));
  await thread.run({
    op: 'createNamespaces',
    flags: namespaceFlags(kinds),
    pins,
    ...(of ? { of: of.pid } : {}),
    sysctls: settings,
    // Index 1 is always the loopback of a new namespace.
    messages: kinds.includes('net') && loopback ? [setLinkMessage(1, { up: true })] : [],
    ...(hostname === undefined ? {} : { hostname }),
  });
  return Object.fromEntries(pins.map(({ kind, path }) => [kind, path]));
}

/** Unpins whatever is in `dir` and removes it. Idempotent; the kernel frees a namespace once nothing runs in it. */
export async function deletePinnedNamespaces(dir: string, thread: SyscallThread = sharedThread()): Promise<void> {
  for (const kind of Object.keys(FLAGS)) {
    await unpinNamespace(join(dir, kind), thread);
  }
  await rm(dir, { recursive: true, force: true });
}

/** Unpins one namespace file. Idempotent. */
export async function unpinNamespace(path: string, thread: SyscallThread = sharedThread()): Promise<void> {
  // A crash between pinning twice leaves stacked mounts; take them all.
  while (await isPinnedNamespace(path)) await umount(path, { lazy: true }, thread);
  await rm(path, { force: true });
}

/** Whether `path` is a live pin, not just the file left over after a reboot. */
export async function isPinnedNamespace(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === NSFS_MAGIC;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Names of the folders under `root` that hold at least one live pin. */
export async function listPinnedNamespaces(root: string): Promise<string[]> {
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const live = await Promise.all(
    names.map(async (name) =>
      (await Promise.all(Object.keys(FLAGS).map((kind) => isPinnedNamespace(join(root, name, kind)).catch(() => false)))).some(Boolean),
    ),
  );
  return names.filter((_, i) => live[i]);
}

/** A number that two paths share exactly when they are the same namespace. */
export async function namespaceId(path: string): Promise<string> {
  const { dev, ino } = await stat(path);
  return `${dev}:${ino}`;
}
