import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type ProcessIdentity, signalProcess } from '@coxswain/linux';

/** SIGTERM, then SIGKILL when it has not ended after `graceMs`. Returns once it is gone. */
export async function stopProcess(target: ProcessIdentity, graceMs: number): Promise<void> {
  if (!signalProcess(target, 'SIGTERM')) return;
  const until = performance.now() + graceMs;
  while (isAlive(target)) {
    if (performance.now() > until) signalProcess(target, 'SIGKILL');
    await sleep(10);
  }
}
