import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity, processIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 2000;

/** Monitors outlive the server on purpose; these are the ones that write their exits into this server's `state`. */
function findMonitors(state: string): ProcessIdentity[] {
  const monitors: ProcessIdentity[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let args: string[];
    try {
      args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
    } catch {
      continue;
    }
    if (!args[0]?.endsWith('conmon') || !args[args.indexOf('--exit-dir') + 1]?.startsWith(join(state, '/'))) continue;
    const identity = processIdentity(Number(entry));
    if (identity) monitors.push(identity);
  }
  return monitors;
}

/** Wait for the monitors of a server whose containers are dead; they end by themselves, and are killed when they do not. */
export async function killMonitors(state: string, clock: Clock = systemClock): Promise<void> {
  const until = clock.monotonic() + GRACE_MS;
  for (let left = findMonitors(state); left.length > 0; left = left.filter(isAlive)) {
    if (clock.monotonic() > until) for (const monitor of left) signalProcess(monitor, 'SIGKILL');
    await clock.sleep(10);
  }
}
