import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailableError } from '@coxswain/sdk';

/** Releases the lock; harmless when called twice. */
export type Unlock = () => void;

/**
 * Makes this process the only one to use a folder. The file `LOCK` names the holder by pid and start time, so that a lock
 * left by a killed process is taken over even when its pid has been given to another one.
 * Throws `StoreUnavailableError` while the holder lives.
 */
export function lockDirectory(dir: string): Unlock {
  const path = join(dir, 'LOCK');
  const mine = `${process.pid} ${startTime(process.pid) ?? 0}\n`;
  const claim = join(dir, `LOCK.${process.pid}`);
  writeFileSync(claim, mine);
  try {
    for (;;) {
      try {
        // link() is the atomic "create unless it is there", with the content already in place.
        linkSync(claim, path);
        return () => {
          if (readLock(path) === mine) rmSync(path, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readLock(path);
      if (holder === undefined) continue;
      const [pid, started] = holder.trim().split(' ');
      if (isAlive(Number(pid), started)) {
        throw new StoreUnavailableError(`the store in ${dir} is in use by process ${pid}; stop that process first, or choose another folder`);
      }
      takeAway(path, holder, claim);
    }
  } finally {
    rmSync(claim, { force: true });
  }
}

/** Remove a dead holder's lock, unless somebody else was faster and holds a new one. */
function takeAway(path: string, holder: string, claim: string): void {
  const aside = `${claim}.stale`;
  try {
    renameSync(path, aside);
    if (readLock(aside) !== holder) linkSync(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(pid: number, started: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const now = startTime(pid);
  return now !== undefined && now === started;
}

/** Field 22 of /proc/PID/stat: when the process started, in clock ticks since boot. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie keeps its entry but holds nothing any more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
