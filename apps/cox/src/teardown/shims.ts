import { readdirSync, readFileSync } from 'node:fs';
import { processIdentity, type ProcessIdentity } from '@coxswain/linux';
import { stopProcess } from '../process/stop-process.js';

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

/** A shim ends by itself when told to; its containers are dead by now. */
export async function killShims(containerdSocket: string): Promise<void> {
  await Promise.all(findShims(containerdSocket).map((shim) => stopProcess(shim, 500)));
}
