import { readFileSync, rmSync } from 'node:fs';
import { isAlive, type ProcessIdentity, processIdentity } from '@coxswain/linux';
import { writeFileAtomic } from './write-file.js';

/** Remember a process so that it is recognised later, also when its pid has been used again by another. */
export function writePidFile(path: string, pid: number): void {
  const identity = processIdentity(pid);
  if (!identity) throw new Error(`process ${pid} is gone already`);
  writeFileAtomic(path, `${JSON.stringify(identity)}\n`);
}

/** The process of a pid file when it is alive. */
export function readPidFile(path: string): ProcessIdentity | undefined {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    // Absent, or cut short by a power failure: then nothing of that boot is alive.
    return undefined;
  }
  return isAlive(identity) ? identity : undefined;
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}
