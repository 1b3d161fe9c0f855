import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { CliError } from '@coxswain/command';
import { readProgress } from './progress.js';

export interface RoleProcess {
  /** `control-plane`, `node`: what it is called in messages. */
  readonly name: string;
  readonly args: readonly string[];
  /** What goes before the program: commands that run the one they are given, such as a supervisor and `nsenter`. */
  readonly launcher?: readonly string[];
  readonly logFile: string;
  /** Called when it shall not be waited for any longer; ends the process. */
  readonly stop: () => void;
  readonly onStep?: (text: string) => void;
  /** V8 options. */
  readonly execArgv?: readonly string[];
}

/**
 * Start a long-running part of a cluster in the background, in a session of its own, and wait until it says that it is ready.
 * Rejects with what it said went wrong, or with the end of its log when it died without a word.
 */
export async function spawnRole(role: RoleProcess, signal?: AbortSignal): Promise<void> {
  mkdirSync(dirname(role.logFile), { recursive: true });
  const log = openSync(role.logFile, 'a', 0o600);
  const [program = process.execPath, ...args] = [...(role.launcher ?? []), process.execPath, ...(role.execArgv ?? []), process.argv[1] as string, ...role.args];
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...process.env, COXSWAIN_PROGRESS_FD: '3' },
  });
  closeSync(log);
  if (child.pid === undefined) throw new CliError(`${role.name} could not be started`);
  signal?.addEventListener('abort', role.stop, { once: true });
  try {
    for await (const progress of readProgress(child.stdio[3] as Readable)) {
      if (progress.type === 'step') role.onStep?.(progress.text);
      else if (progress.type === 'failed') throw new CliError(`${role.name}: ${progress.message}`, `the whole log is in ${role.logFile}`);
      else return;
    }
    throw new CliError(`${role.name} ended while starting:\n${tail(role.logFile, 8)}`, `the whole log is in ${role.logFile}`);
  } finally {
    signal?.removeEventListener('abort', role.stop);
    (child.stdio[3] as Readable).destroy();
    child.unref();
  }
}

function tail(file: string, lines: number): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
