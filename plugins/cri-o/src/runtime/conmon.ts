import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lookUp, RUNTIME_ENV } from '@coxswain/cri-runtime';
import { type ProcessIdentity, processIdentity, startProgram } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import { lines } from './lines.js';
import { type OciRuntime, RuntimeCommandError, runtimeMessage } from './oci-runtime.js';

/** Where conmon puts things: all under the runtime state folder. */
export interface ConmonDirs {
  /** `<exits>/<id>`: the exit code, written when the container has ended and its output is in the log. */
  readonly exits: string;
  /** Folders with the attach sockets, by conmon's own short name. */
  readonly sockets: string;
}

export interface Watched {
  /** The container's first process. */
  readonly process: ProcessIdentity;
  readonly conmon?: ProcessIdentity;
}

export interface WatchOptions {
  readonly id: string;
  readonly runtime: OciRuntime;
  /** Holds config.json; gets the attach socket, the control pipe and pid files. */
  readonly bundle: string;
  /** Absolute; empty: no log. */
  readonly logPath: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Standard input ends with the first client that attaches. */
  readonly stdinOnce: boolean;
}

let found: string | undefined;

export function conmonProgram(): string {
  found ??= lookUp('conmon');
  if (found === undefined) throw new Error('conmon is not installed: apt-get install conmon');
  return found;
}

/** The monitor's short name: its attach socket is at `<sockets>/<name>/attach`, and a socket's path holds 107 bytes. */
export const monitorName = (id: string) => id.replace(/^pause-/, 'p').slice(0, 24);

/** Arguments both kinds of use have. */
export function conmonArgs(program: { runtime: OciRuntime; id: string; name: string; bundle: string; dirs: ConmonDirs }): string[] {
  const { runtime, id, name, bundle, dirs } = program;
  return [
    ...['--api-version', '1', '-c', id, '-n', id, '-u', name, '-r', runtime.command, '-b', bundle, '-p', join(bundle, 'pidfile')],
    ...['--exit-dir', dirs.exits, '--persist-dir', bundle, '--socket-dir-path', dirs.sockets, '--no-sync-log'],
    ...['--runtime-arg', `--root=${runtime.root}`, '--log-level', 'error'],
  ];
}

/** What conmon makes in a bundle: of an earlier try, when it is there before. */
const MADE_BY_CONMON = new Set(['pidfile', 'conmon.pid', 'attach', 'ctl', 'winsz', 'oom', 'exit']);

/** Create a container under a conmon of its own. It waits for `start`. Rejects with the runtime's message, leaving nothing. */
export async function createWatched(dirs: ConmonDirs, options: WatchOptions): Promise<Watched> {
  const { id, runtime, bundle, logPath, tty, stdin, stdinOnce } = options;
  const name = monitorName(id);
  const earlier = (await readdir(bundle)).filter((file) => MADE_BY_CONMON.has(file));
  await Promise.all([join(dirs.exits, id), join(dirs.sockets, name), ...earlier.map((file) => join(bundle, file))].map((file) => rm(file, { force: true })));
  const args = [
    ...conmonArgs({ runtime, id, name, bundle, dirs }),
    ...['-P', join(bundle, 'conmon.pid'), '-l', logPath === '' ? 'none' : `k8s-file:${logPath}`],
    ...(tty ? ['-t'] : []),
    ...(stdin ? ['-i', ...(stdinOnce ? [] : ['--leave-stdin-open'])] : []),
  ];
  const pid = await startConmon(args, runtime);
  const process = processIdentity(pid);
  if (!process) throw new RuntimeCommandError(`the container's first process (${pid}) ended at once`);
  const conmon = processIdentity(Number(await readFile(join(bundle, 'conmon.pid'), 'utf8').catch(() => '0')));
  return { process, ...(conmon ? { conmon } : {}) };
}

/** The pid of the container's first process. */
async function startConmon(args: readonly string[], runtime: OciRuntime): Promise<number> {
  const conmon = await startProgram({
    path: conmonProgram(),
    args,
    env: { ...RUNTIME_ENV, _OCI_SYNCPIPE: '3' },
    descriptors: ['null', 'null', 'pipe', 'pipe'],
    newSession: true,
  }).catch((cause: unknown) => {
    throw new RuntimeCommandError(`cannot run conmon: ${(cause as Error).message}`, { cause });
  });
  const [errors, answers] = [conmon.pipe(2), conmon.pipe(3)];
  let complaint = '';
  errors.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8').slice(0, 4096)));
  errors.on('error', () => {});
  try {
    const { value: answer } = await lines(answers).next();
    if (answer === undefined) throw new RuntimeCommandError(runtimeMessage(complaint) || 'conmon ended without an answer');
    const { data, message } = JSON.parse(answer) as { data: number; message?: string };
    if (data <= 0) throw new RuntimeCommandError(runtimeMessage(message ?? '') || runtimeMessage(complaint) || `${runtime.handler} create failed (${data})`);
    return data;
  } finally {
    errors.destroy();
    answers.destroy();
    // What was started is gone since it made the monitor out of itself, before that made the container.
    await conmon.reap();
  }
}

/** Tell a container's conmon about a new terminal size. */
export const resizeTerminal = (bundle: string, width: number, height: number) => control(bundle, `1 ${height} ${width}\n`);

/** Time a conmon has to make a new log file. */
const REOPEN_MS = 10_000;

/** Have it go on in a new log file at the same path; resolves once that is there. Rejects when no conmon listens. */
export async function reopenLog(bundle: string, logPath: string, clock: Clock): Promise<void> {
  // It makes the file under another name and renames it: a new file is another file, whether or not the old one was moved away.
  const inode = () =>
    stat(logPath, { bigint: true }).then(
      (s) => s.ino,
      () => undefined,
    );
  const old = await inode();
  if (!control(bundle, '2 0 0\n')) throw new Error('the container has no monitor any more');
  const end = clock.monotonic() + REOPEN_MS;
  for (let now = await inode(); now === undefined || now === old; now = await inode()) {
    if (clock.monotonic() > end) throw new Error(`conmon made no new log file ${logPath} within ${REOPEN_MS / 1000} s`);
    await clock.sleep(5);
  }
}

/** False: no conmon listens. */
function control(bundle: string, message: string): boolean {
  let fd: number;
  try {
    fd = openSync(join(bundle, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENXIO', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  try {
    writeSync(fd, message);
    return true;
  } finally {
    closeSync(fd);
  }
}

export async function makeConmonDirs(state: string): Promise<ConmonDirs> {
  const dirs = { exits: join(state, 'exits'), sockets: join(state, 's') };
  await Promise.all(Object.values(dirs).map((dir) => mkdir(dir, { recursive: true, mode: 0o700 })));
  return dirs;
}
