import { readFile, writeFile } from 'node:fs/promises';
import { LinuxError, NotFoundError } from './errors.js';
import type { PinnableNamespace } from './namespaces.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';

const IPC_SYSCTLS = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);
const UTS_SYSCTLS = new Set(['kernel.domainname', 'kernel.hostname']);

/** Which namespace a sysctl belongs to; undefined: it is the whole machine's. */
export function sysctlNamespace(name: string): PinnableNamespace | undefined {
  const dotted = name.replaceAll('/', '.');
  if (dotted.startsWith('net.')) return 'net';
  if (IPC_SYSCTLS.has(dotted) || dotted.startsWith('fs.mqueue.')) return 'ipc';
  if (UTS_SYSCTLS.has(dotted)) return 'uts';
  return undefined;
}

/** `/proc/sys` path of a sysctl: dots separate, except that `/` may be used so that link names can hold dots. */
export function sysctlPath(name: string): string {
  const parts = name.includes('/') ? name.split('/') : name.split('.');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) throw new TypeError(`not a sysctl: ${JSON.stringify(name)}`);
  return `/proc/sys/${parts.join('/')}`;
}

/**
 * A sysctl inside a network namespace; undefined when this kernel has no such.
 * @param netns Path of the namespace; absent: our own.
 */
export async function readSysctl(netns: string | undefined, name: string, thread?: SyscallThread): Promise<string | undefined> {
  const path = sysctlPath(name);
  try {
    if (netns === undefined) return (await readFile(path, 'utf8')).trim();
    const { text } = await (thread ?? sharedThread()).run({ op: 'readFile', netns, path });
    if (text === undefined) throw new LinuxError(`read sysctl ${name}`, 5);
    return text.trim();
  } catch (error) {
    if (error instanceof NotFoundError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a `net.` sysctl inside a network namespace.
 * @param netns Path of the namespace; absent: our own.
 */
export async function writeSysctl(netns: string | undefined, name: string, value: string, thread?: SyscallThread): Promise<void> {
  if (sysctlNamespace(name) !== 'net') throw new TypeError(`sysctl ${name} is not of a network namespace`);
  const path = sysctlPath(name);
  if (netns === undefined) await writeFile(path, value);
  else await (thread ?? sharedThread()).run({ op: 'writeFile', netns, path, data: value });
}
