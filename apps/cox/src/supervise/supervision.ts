import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from '@coxswain/linux';
import { readPidFile } from '../process/pid-file.js';

/** What one supervisor looks after: a process of a cluster. `supervise.sh` says what the files are and how they keep everybody from racing. */
export interface Supervision {
  /** In messages and logs. */
  readonly name: string;
  readonly folder: string;
  /** Names the process, which writes it itself. */
  readonly pidFile: string;
  /** Gets what the supervisor says. */
  readonly logFile: string;
}

/** How often a process was started again since it was last started by hand, and why. */
export interface Restarts {
  readonly count: number;
  /** Of the last one: when the process had ended, milliseconds since 1970. */
  readonly at?: number;
  /** `killed by SIGKILL`, `exit code 1`. */
  readonly reason?: string;
}

const file = ({ folder }: Supervision, name: 'pid' | 'command' | 'ready' | 'hold' | 'restarts') => join(folder, name);

/** Shipped beside the program. */
const script = () => join(dirname(realpathSync(process.argv[1] as string)), 'supervise.sh');

/** The supervisor, when it lives. */
export function supervisorOf(supervision: Supervision): ProcessIdentity | undefined {
  return readPidFile(file(supervision, 'pid'));
}

export function isHeld(supervision: Supervision): boolean {
  return existsSync(file(supervision, 'hold'));
}

/** From here on the process is not started (again); it goes on if it runs. */
export function hold(supervision: Supervision): void {
  mkdirSync(supervision.folder, { recursive: true });
  writeFileSync(file(supervision, 'hold'), '');
}

/** Whether the process is started again when it ends. */
export function isReady(supervision: Supervision): boolean {
  return existsSync(file(supervision, 'ready'));
}

/** The process has been ready: from here on it is started again when it ends. */
export function markReady(supervision: Supervision): void {
  if (existsSync(supervision.folder)) writeFileSync(file(supervision, 'ready'), '');
}

export function restartsOf(supervision: Supervision): Restarts {
  let text: string;
  try {
    text = readFileSync(file(supervision, 'restarts'), 'utf8');
  } catch {
    return { count: 0 };
  }
  const [, count, at, reason] = /^(\d+) (\d+) (.+)$/m.exec(text) ?? [];
  return count === undefined || reason === undefined ? { count: 0 } : { count: Number(count), at: Number(at) * 1000, reason };
}

/**
 * What goes before a command so that it is supervised, for one start by hand. Neither the process nor a supervisor of it may be there any more.
 * If the process ends before `markReady`, the supervisor ends with it and with its exit code.
 */
export function supervised(supervision: Supervision, shell = script()): readonly string[] {
  mkdirSync(supervision.folder, { recursive: true });
  for (const name of ['ready', 'hold', 'restarts'] as const) rmSync(file(supervision, name), { force: true });
  return ['sh', shell, supervision.folder, supervision.pidFile, supervision.name, 'start'];
}

/**
 * Gives a process that was supervised a supervisor again when it has lost it; starts the process when it is gone too. Nothing to do when it is
 * held or was never supervised.
 */
export function superviseAgain(supervision: Supervision, shell = script()): void {
  if (isHeld(supervision) || supervisorOf(supervision)) return;
  let command: string[];
  try {
    command = readFileSync(file(supervision, 'command'), 'utf8').split('\0').slice(0, -1);
  } catch {
    return;
  }
  if (command.length === 0) return;
  const log = openSync(supervision.logFile, 'a', 0o600);
  const args = [shell, supervision.folder, supervision.pidFile, supervision.name, 'adopt', ...command];
  const child = spawn('sh', args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  // Whoever looks next tries again.
  child.on('error', () => {});
  child.unref();
}

/** The process may be started again and, if it runs, is supervised. */
export function release(supervision: Supervision): void {
  rmSync(file(supervision, 'hold'), { force: true });
  superviseAgain(supervision);
}
