import { rm } from 'node:fs/promises';
import { umountAll } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';
import { killEngineProcesses } from './dockerd/engine-processes.js';

/**
 * Remove what a dockerd of `startDockerd` leaves in its state folder: its containerd, shims, namespaces. Containers and dockerd must have
 * ended. Idempotent.
 */
export async function cleanDockerdState(state: string, clock: Clock = systemClock): Promise<void> {
  await killEngineProcesses(state, ['containerd', 'containerd-shim-runc-v2'], clock);
  await umountAll(state);
  await rm(state, { recursive: true, force: true });
}
