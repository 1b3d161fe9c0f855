import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isAlive, type ProcessIdentity, processIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 3000;

export type EngineProgram = 'containerd' | 'containerd-shim-runc-v2';

const SHIM: EngineProgram = 'containerd-shim-runc-v2';

function findProcesses(wanted: (program: string, args: readonly string[]) => boolean): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let args: string[];
    try {
      args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
    } catch {
      continue;
    }
    if (!wanted(basename(args[0] ?? ''), args)) continue;
    const identity = processIdentity(Number(entry));
    if (identity) found.push(identity);
  }
  return found;
}

async function kill(all: readonly ProcessIdentity[], clock: Clock): Promise<void> {
  for (const process of all) signalProcess(process, 'SIGTERM');
  const until = clock.monotonic() + GRACE_MS;
  for (let left = all.filter(isAlive); left.length > 0; left = left.filter(isAlive)) {
    if (clock.monotonic() > until) for (const process of left) signalProcess(process, 'SIGKILL');
    await clock.sleep(10);
  }
}

/** Processes beneath the dockerd of this `state`: its containerd, and the shims, which outlive both on purpose. */
export function findEngineProcesses(state: string, programs: readonly EngineProgram[]): ProcessIdentity[] {
  const below = join(state, 'containerd', '/');
  return findProcesses((program, args) => programs.includes(program as EngineProgram) && args.some((arg) => arg.startsWith(below)));
}

/** End them: SIGTERM, then SIGKILL for those that stay. */
export async function killEngineProcesses(state: string, programs: readonly EngineProgram[], clock: Clock = systemClock): Promise<void> {
  await kill(findEngineProcesses(state, programs), clock);
}

/** End the shim of a container that is gone: an engine that was killed before it asked a new shim for the container forgets the shim. */
export async function killShimOf(containerId: string, clock: Clock = systemClock): Promise<void> {
  const isItsShim = (program: string, args: readonly string[]) => program === SHIM && args[args.indexOf('-id') + 1] === containerId;
  await kill(findProcesses(isItsShim), clock);
}
