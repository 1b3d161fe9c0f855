import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, signalProcess } from '@coxswain/linux';
import { readPidFile, removePidFile } from '../process/pid-file.js';
import { stopProcess } from '../process/stop-process.js';
import { hold, type Supervision, supervisorOf } from './supervision.js';

/**
 * Stops a process and its supervisor, or what is left of them. When it returns, neither is there, and the process is held until it is started by hand:
 * a supervisor that was being started and had not even told its pid sees that, and ends without starting anything.
 */
export async function stopSupervised(supervision: Supervision, graceMs: number): Promise<void> {
  // First: a process that is just being started sees this, or we see the process.
  hold(supervision);
  const stop = async () => {
    const process = readPidFile(supervision.pidFile);
    if (process) await stopProcess(process, graceMs);
  };
  await stop();
  const supervisor = supervisorOf(supervision);
  if (supervisor) {
    signalProcess(supervisor, 'SIGTERM');
    while (isAlive(supervisor)) {
      await sleep(2);
      signalProcess(supervisor, 'SIGKILL');
    }
    await stop();
  }
  removePidFile(supervision.pidFile);
}
