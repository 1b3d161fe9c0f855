import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CriError } from '@coxswain/cri';
import {
  type ExecOptions,
  type ExecRunner,
  hostOwner,
  makeFifo,
  mappingsOf,
  openFifoReader,
  openFifoWriter,
  pumpOutput,
  RUNTIME_ENV,
} from '@coxswain/cri-runtime';
import {
  type ProcessIdentity,
  type ProgramDescriptor,
  type ProgramEnd,
  processIdentity,
  signalProcess,
  type StartedProgram,
  startProgram,
} from '@coxswain/linux';
import type { RuntimeSpec, SpecProcess } from '@coxswain/oci';
import type { Clock, Random } from '@coxswain/sdk';
import { attachStreams } from './attach.js';
import { type ConmonDirs, conmonArgs, conmonProgram, resizeTerminal } from './conmon.js';
import { lines } from './lines.js';
import { type OciRuntime, runtimeMessage } from './oci-runtime.js';

/** How long output may still come after an exec'd process has ended (its children may hold the pipes). */
const DRAIN_MS = 2000;

export interface ExecTarget {
  readonly runtime: OciRuntime;
  readonly spec: RuntimeSpec;
}

export interface CrioExecOptions {
  readonly dir: string;
  readonly dirs: ConmonDirs;
  readonly target: (containerId: string) => Promise<ExecTarget>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Commands in containers: by the runtime itself over named pipes, and by a conmon when there is a terminal, which it owns. */
export class CrioExec implements ExecRunner {
  constructor(private readonly options: CrioExecOptions) {}

  async run(containerId: string, options: ExecOptions): Promise<number> {
    const { clock, random, target } = this.options;
    const { runtime, spec } = await target(containerId);
    if (!spec.process) throw new CriError('internal', `container ${containerId} has no process in its spec`);
    const name = Buffer.from(random.bytes(12)).toString('hex');
    const dir = join(this.options.dir, name);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const process: SpecProcess = { ...spec.process, args: [...options.cmd], terminal: options.tty };
    if (options.tty && !process.env?.some((e) => e.startsWith('TERM='))) process.env = [...(process.env ?? []), 'TERM=xterm'];
    // Whoever the process is, it may open /dev/stdout by name: crun does not see to that.
    const session = { containerId, dir, name, owner: hostOwner(process.user, mappingsOf(spec)), runtime, options };
    let timedOut = false;
    let running: RunningExec | undefined;
    const kill = () => running?.kill();
    const cancel = options.timeoutMs
      ? clock.setTimeout(() => {
          timedOut = true;
          kill();
        }, options.timeoutMs)
      : () => {};
    options.signal?.addEventListener('abort', kill, { once: true });
    try {
      await writeFile(join(dir, 'process.json'), JSON.stringify(process), { mode: 0o600 });
      running = options.tty ? this.#terminal(session) : this.#pipes(session);
      if (timedOut || options.signal?.aborted) running.kill();
      const code = await running.exit;
      if (timedOut)
        throw new CriError('deadlineExceeded', `failed to exec in container: timeout ${(options.timeoutMs ?? 0) / 1000}s exceeded: context deadline exceeded`);
      return code;
    } finally {
      cancel();
      options.signal?.removeEventListener('abort', kill);
      await rm(dir, { recursive: true, force: true });
      await rm(join(this.options.dirs.sockets, name), { force: true });
    }
  }

  #pipes({ containerId, dir, owner, runtime, options }: Session): RunningExec {
    const { clock } = this.options;
    const log = join(dir, 'runtime.log');
    const pidFile = join(dir, 'pidfile');
    const names = ['stdin', 'stdout', 'stderr'] as const;
    const path = (name: string) => join(dir, name);
    for (const name of names) if (name !== 'stdin' || options.stdin) makeFifo(path(name), owner);
    const readers = [openFifoReader(path('stdout')), openFifoReader(path('stderr'))];
    const drained = Promise.all([pumpOutput(readers[0] as Readable, options.stdout), pumpOutput(readers[1] as Readable, options.stderr)]);
    const writer = options.stdin && openFifoWriter(path('stdin'));
    const stdio = [
      options.stdin ? openSync(path('stdin'), constants.O_RDONLY) : 'null',
      openSync(path('stdout'), constants.O_WRONLY),
      openSync(path('stderr'), constants.O_WRONLY),
    ] as const;
    const args = ['--log', log, '--log-format', 'json', ...runtime.args(['exec', '--process', path('process.json'), '--pid-file', pidFile, containerId])];
    const ending = this.#runtimeExec(runtime, args, stdio);
    if (options.stdin && writer) {
      writer.on('error', () => {});
      options.stdin.on('error', () => writer.destroy());
      options.stdin.pipe(writer, { end: false });
      options.stdin.once('end', () => writer.end(() => writer.destroy()));
    }
    let over = false;
    const exit = (async () => {
      try {
        const { code, signal } = await ending;
        const pid = await readPid(pidFile);
        if (code !== 0 && pid === undefined) {
          const message = runtimeMessage(await readFile(log, 'utf8').catch(() => '')) || `${runtime.handler} exec failed (${signal ?? code})`;
          throw new CriError('unknown', `failed to exec in container ${containerId}: ${message}`);
        }
        let late = () => {};
        await Promise.race([drained, new Promise<void>((resolve) => (late = clock.setTimeout(resolve, DRAIN_MS)))]);
        late();
        return code ?? 137;
      } finally {
        over = true;
        for (const reader of readers) reader.destroy();
        writer?.destroy();
      }
    })();
    return { exit, kill: () => void killWhenKnown(pidFile, clock, () => over) };
  }

  /** Takes the descriptors. */
  async #runtimeExec(runtime: OciRuntime, args: readonly string[], stdio: readonly ProgramDescriptor[]): Promise<ProgramEnd> {
    let program: StartedProgram;
    try {
      // The fourth is only held: by the runtime, not by what it runs, so its end is the runtime's.
      program = await startProgram({ path: runtime.command, args, env: RUNTIME_ENV, descriptors: [...stdio, 'pipe'] });
    } finally {
      for (const fd of stdio) if (typeof fd === 'number') closeSync(fd);
    }
    return program.endAfter(stdio.length);
  }

  #terminal({ containerId, dir, name, runtime, options }: Session): RunningExec {
    const { dirs, clock } = this.options;
    const args = [
      ...conmonArgs({ runtime, id: containerId, name, bundle: dir, dirs: { ...dirs, exits: dir } }),
      ...['-l', 'none', '--exec', '--exec-attach', '--exec-process-spec', join(dir, 'process.json'), '-t', ...(options.stdin ? ['-i'] : [])],
    ];
    let over = false;
    const exit = (async () => {
      const conmon = await startProgram({
        path: conmonProgram(),
        args,
        env: { ...RUNTIME_ENV, _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' },
        descriptors: ['null', 'null', 'null', 'pipe', 'input', 'pipe'],
        newSession: true,
      });
      const [sync, start, ready] = [conmon.pipe(3), conmon.input(4), conmon.pipe(5)];
      try {
        start.on('error', () => {});
        start.write('\0');
        const answers = lines(sync);
        // It ends without a word when it cannot listen; then there is no answer below either.
        await Promise.race([once(ready, 'data'), once(ready, 'end')]);
        const socket = attachStreams(join(dirs.sockets, name, 'attach'), { stdin: options.stdin, stdout: options.stdout }, clock, () => {});
        // Attached before it runs: no output is missed.
        start.write('\0');
        try {
          const { value: first } = await answers.next();
          const started = first && (JSON.parse(first) as { data: number; message?: string });
          if (!started || started.data <= 0)
            throw new CriError(
              'unknown',
              `failed to exec in container ${containerId}: ${runtimeMessage(started?.message ?? '') || 'conmon ended without an answer'}`,
            );
          if (options.resize) void this.#resize(options.resize, dir, () => over);
          const { value: last } = await answers.next();
          const code = last ? (JSON.parse(last) as { data: number }).data : 137;
          let late = () => {};
          await Promise.race([socket.closed, new Promise<void>((resolve) => (late = clock.setTimeout(resolve, DRAIN_MS)))]);
          late();
          return code;
        } finally {
          socket.close();
        }
      } finally {
        for (const stream of [sync, start, ready]) stream.destroy();
        // What was started is gone since it made the monitor out of itself.
        await conmon.reap();
      }
    })().finally(() => {
      over = true;
    });
    return { exit, kill: () => void killWhenKnown(join(dir, 'pidfile'), clock, () => over) };
  }

  async #resize(sizes: AsyncIterable<{ readonly width: number; readonly height: number }>, dir: string, over: () => boolean): Promise<void> {
    for await (const { width, height } of sizes) {
      if (over()) return;
      resizeTerminal(dir, width, height);
    }
  }
}

interface Session {
  readonly containerId: string;
  readonly dir: string;
  readonly name: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly runtime: OciRuntime;
  readonly options: ExecOptions;
}

interface RunningExec {
  readonly exit: Promise<number>;
  kill(): void;
}

async function readPid(path: string): Promise<ProcessIdentity | number | undefined> {
  const pid = Number(await readFile(path, 'utf8').catch(() => '0'));
  return pid > 0 ? (processIdentity(pid) ?? pid) : undefined;
}

/** Its pid is known a moment after it was asked for. */
async function killWhenKnown(pidFile: string, clock: Pick<Clock, 'sleep'>, over: () => boolean): Promise<void> {
  while (!over()) {
    const found = await readPid(pidFile);
    if (typeof found === 'object') signalProcess(found, 'SIGKILL');
    if (found !== undefined) return;
    await clock.sleep(20);
  }
}
