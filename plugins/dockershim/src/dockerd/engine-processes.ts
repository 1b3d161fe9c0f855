import { basename, join } from 'node:path';
import { findProcesses, untilEnded, type ProcessIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';

const GRACE_MS = 3000;

export type EngineProgram = 'containerd' | 'containerd-shim-runc-v2';

const SHIM: EngineProgram = 'containerd-shim-runc-v2';

async function kill(all: readonly ProcessIdentity[], clock: Clock): Promise<void> {
  for (const process of all) signalProcess(process, 'SIGTERM');
  await untilEnded(all, GRACE_MS, clock);
}

const programOf = (args: readonly string[]) => basename(args[0] ?? '');

/** Processes beneath the dockerd of this `state`: its containerd, and the shims, which untilEnded both on purpose. */
export function findEngineProcesses(state: string, programs: readonly EngineProgram[]): ProcessIdentity[] {
  const below = join(state, 'containerd', '/');
  return findProcesses((args) => programs.some((program) => program === programOf(args)) && args.some((arg) => arg.startsWith(below)));
}

/** End them: SIGTERM, then SIGKILL for those that stay. */
export async function killEngineProcesses(state: string, programs: readonly EngineProgram[], clock: Clock = systemClock): Promise<void> {
  await kill(findEngineProcesses(state, programs), clock);
}

/** End the shim of a container that is gone: an engine that was killed before it asked a new shim for the container forgets the shim. */
export async function killShimOf(containerId: string, clock: Clock = systemClock): Promise<void> {
  const isItsShim = (args: readonly string[]) => programOf(args) === SHIM && args[args.indexOf('-id') + 1] === containerId;
  await kill(findProcesses(isItsShim), clock);
}
