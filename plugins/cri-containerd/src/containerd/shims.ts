import { readdirSync, readFileSync } from 'node:fs';
import { isAlive, type ProcessIdentity, processIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 500;

/** containerd's shims outlive it on purpose; these are the ones that answer to this containerd. */
export function findShims(containerdSocket: string): ProcessIdentity[] {
  const shims: ProcessIdentity[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let args: string[];
    try {
      args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
    } catch {
      continue;
    }
    if (!args[0]?.includes('containerd-shim') || args[args.indexOf('-address') + 1] !== containerdSocket) continue;
    const identity = processIdentity(Number(entry));
    if (identity) shims.push(identity);
  }
  return shims;
}

/** End the shims of a containerd whose containers are dead: SIGTERM, then SIGKILL for those that stay. */
export async function killShims(containerdSocket: string, clock: Clock = systemClock): Promise<void> {
  const shims = findShims(containerdSocket);
  for (const shim of shims) signalProcess(shim, 'SIGTERM');
  const until = clock.monotonic() + GRACE_MS;
  for (let left = shims; left.length > 0; left = left.filter(isAlive)) {
    if (clock.monotonic() > until) for (const shim of left) signalProcess(shim, 'SIGKILL');
    await clock.sleep(10);
  }
}
