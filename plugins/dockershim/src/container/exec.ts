import { PassThrough, type Writable } from 'node:stream';
import { CriError } from '@coxswain/cri';
import type { ExecOptions, ExecRunner } from '@coxswain/cri-runtime';
import { processIdentity, signalProcess } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { Engine } from '../engine/engine.js';
import { ignoring } from '../engine/engine-error.js';
import type { ExecInspect } from '../engine/engine-types.js';
import { copyOutput } from '../engine/frames.js';
import type { ExecEnds } from './exec-ends.js';

const SIGKILL = 'SIGKILL';
/** Output that is on its way when the command has ended; what its children still hold open is not waited for longer. */
const DRAIN_MS = 2000;
/** What the engine says of a command that could not be run: there, but not executable; not there. */
const NOT_RUN = [126, 127];
const MESSAGE_BYTES = 4096;

/** Commands in running containers, on connections that the engine hands over. */
export class DockerExec implements ExecRunner {
  constructor(
    private readonly engine: Engine,
    private readonly ends: ExecEnds,
    private readonly clock: Clock,
  ) {}

  async run(containerId: string, options: ExecOptions): Promise<number> {
    const { engine, clock, ends } = this;
    const { cmd, tty, stdin, stdout, stderr, timeoutMs, signal } = options;
    const { Id: id } = await engine.execs.create(containerId, {
      Cmd: cmd,
      Tty: tty,
      AttachStdin: stdin !== undefined,
      AttachStdout: stdout !== undefined,
      AttachStderr: stderr !== undefined && !tty,
    });
    const ended = ends.expect(id);
    let late = false;
    let cancelTimeout = () => {};
    let cancelDrain = () => {};
    const socket = await engine.execs.start(id, tty).catch((error: unknown) => {
      ended.cancel();
      throw error;
    });
    const kill = () => void this.#kill(id).finally(() => socket.destroy());
    try {
      if (timeoutMs) {
        cancelTimeout = clock.setTimeout(() => {
          late = true;
          kill();
        }, timeoutMs);
      }
      if (signal?.aborted) kill();
      signal?.addEventListener('abort', kill, { once: true });
      void ended.promise.then(() => (cancelDrain = clock.setTimeout(() => socket.destroy(), DRAIN_MS)));
      if (stdin) stdin.pipe(socket, { end: true });
      const complaint = new Head(MESSAGE_BYTES);
      if (tty && options.resize) void this.#resize(id, options.resize);
      await copyOutput(socket, tty, { stdout: complaint.before(stdout), stderr: complaint.before(stderr) }).catch(() => {});
      const result = await this.#result(id);
      if (late) throw new CriError('deadlineExceeded', `failed to exec in container: timeout ${(timeoutMs ?? 0) / 1000}s exceeded`);
      if (result.Pid === 0 && NOT_RUN.includes(result.ExitCode ?? 0)) throw new CriError('unknown', `failed to exec in container: ${complaint.text().trim()}`);
      return result.ExitCode ?? 255;
    } finally {
      cancelTimeout();
      cancelDrain();
      ended.cancel();
      signal?.removeEventListener('abort', kill);
      if (stdin) stdin.unpipe(socket);
      socket.destroy();
    }
  }

  async #resize(id: string, sizes: NonNullable<ExecOptions['resize']>): Promise<void> {
    // 404 and 500: not started yet, or ended.
    for await (const { width, height } of sizes) await this.#retryWhileStarting(() => this.engine.execs.resize(id, width, height));
  }

  async #retryWhileStarting(run: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      try {
        return await run();
      } catch {
        await this.clock.sleep(50);
      }
    }
  }

  /** Its first process; what it has started goes with the container. */
  async #kill(id: string): Promise<void> {
    const found = await this.engine.execs.inspect(id).catch(ignoring(404));
    const identity = found?.Running && found.Pid > 0 ? processIdentity(found.Pid) : undefined;
    if (identity) signalProcess(identity, SIGKILL);
  }

  /** The connection ends a moment before the engine knows the exit code. */
  async #result(id: string): Promise<ExecInspect> {
    for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
      const found = await this.engine.execs.inspect(id);
      if (!found.Running && found.ExitCode !== null) return found;
      await this.clock.sleep(wait);
    }
  }
}

/** Keeps the first bytes that pass: the engine's complaint comes as output of the command that it could not run. */
class Head {
  readonly #parts: Buffer[] = [];
  #size = 0;

  constructor(private readonly limit: number) {}

  before(sink: Writable | undefined): Writable | undefined {
    if (!sink) return undefined;
    const through = new PassThrough();
    through.on('data', (chunk: Buffer) => {
      if (this.#size >= this.limit) return;
      this.#parts.push(chunk);
      this.#size += chunk.length;
    });
    through.pipe(sink, { end: false });
    return through;
  }

  text(): string {
    return Buffer.concat(this.#parts).subarray(0, this.limit).toString('utf8');
  }
}
