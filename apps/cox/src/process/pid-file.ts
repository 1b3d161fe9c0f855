import { readFileSync, rmSync } from 'node:fs';
import { isAlive, type ProcessIdentity } from '@coxswain/linux';

/** The process of a pid file, which it wrote itself (supervise.sh), when it is alive. A pid that was used again is another process. */
export function readPidFile(path: string): ProcessIdentity | undefined {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    // Absent, just being written, or cut short by a power failure: then nothing of that boot is alive.
    return undefined;
  }
  return isAlive(identity) ? identity : undefined;
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}
