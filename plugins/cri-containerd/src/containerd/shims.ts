import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { findProcesses, untilEnded, type ProcessIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 500;
/** Linux: __SO_ACCEPTCON. */
const LISTENING = '00010000';

/** containerd's shims untilEnded it on purpose; these are the ones that answer to this containerd. */
export function findShims(containerdSocket: string): ProcessIdentity[] {
  return findProcesses((args) => (args[0]?.includes('containerd-shim') ?? false) && args[args.indexOf('-address') + 1] === containerdSocket);
}

/** End the shims of a containerd whose containers are dead: SIGTERM, then SIGKILL for those that stay. Their sockets, elsewhere on the machine, go with them. */
export async function killShims(containerdSocket: string, clock: Clock = systemClock): Promise<void> {
  const shims = findShims(containerdSocket);
  const sockets = listeningSockets(shims);
  for (const shim of shims) signalProcess(shim, 'SIGTERM');
  await untilEnded(shims, GRACE_MS, clock);
  for (const socket of sockets) rmSync(socket, { force: true });
}

/** Paths on which these processes listen: unix(7), `/proc/net/unix`. */
function listeningSockets(processes: readonly ProcessIdentity[]): string[] {
  if (processes.length === 0) return [];
  const inodes = new Set(processes.flatMap(({ pid }) => socketsOf(pid)));
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , inode, path]) => flags === LISTENING && inodes.has(inode ?? '') && path?.startsWith('/'))
    .map(([, , , , , , , path]) => path as string);
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? []);
  } catch {
    // It has ended by itself.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return '';
  }
}
