import { join } from 'node:path';
import { findProcesses, untilEnded, type ProcessIdentity } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 2000;

/** Monitors untilEnded the server on purpose; these are the ones that write their exits into this server's `state`. */
function findMonitors(state: string): ProcessIdentity[] {
  return findProcesses((args) => (args[0]?.endsWith('conmon') ?? false) && (args[args.indexOf('--exit-dir') + 1]?.startsWith(join(state, '/')) ?? false));
}

/** Wait for the monitors of a server whose containers are dead; they end by themselves, and are killed when they do not. */
export async function killMonitors(state: string, clock: Clock = systemClock): Promise<void> {
  await untilEnded(findMonitors(state), GRACE_MS, clock);
}
