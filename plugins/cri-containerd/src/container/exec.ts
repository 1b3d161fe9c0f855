import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError, isRpcError } from '@coxswain/cri';
import { type ExecOptions, type ExecRunner, makeFifo, openFifoReader, openFifoWriter, pumpOutput } from '@coxswain/cri-runtime';
import type { RuntimeSpec, SpecProcess } from '@coxswain/oci';
import type { Clock, Random } from '@coxswain/sdk';
import type { Readable } from 'node:stream';
import { anyJson, jsonAny, SpecType } from '../containerd/any.js';
import type { Containerd } from '../containerd/client.js';

/** How long output may still come after an exec'd process has ended (its children may hold the pipes). */
const DRAIN_MS = 2000;

/** Runs commands inside running containers. */
export class ContainerdExec implements ExecRunner {
  constructor(
    private readonly containerd: Containerd,
    private readonly ioDir: string,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Returns the exit code. Rejects with `deadlineExceeded` when the time is up and the process has been killed. */
  async run(containerId: string, options: ExecOptions): Promise<number> {
    const { tasks, containers } = this.containerd;
    const execId = Buffer.from(this.random.bytes(16)).toString('hex');
    const dir = join(this.ioDir, execId);
    const { container } = await containers.get({ id: containerId });
    const spec = anyJson<RuntimeSpec>(container?.spec);
    if (!spec?.process) throw new CriError('internal', `container ${containerId} has no process in its spec`);
    const process: SpecProcess = { ...spec.process, args: [...options.cmd], terminal: options.tty };
    if (options.tty && !process.env?.some((e) => e.startsWith('TERM='))) process.env = [...(process.env ?? []), 'TERM=xterm'];
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const path = (name: string, wanted: boolean) => {
      if (!wanted) return '';
      makeFifo(join(dir, name));
      return join(dir, name);
    };
    const paths = { stdin: path('stdin', options.stdin !== undefined), stdout: path('stdout', true), stderr: path('stderr', !options.tty) };
    const readers = [openFifoReader(paths.stdout), ...(paths.stderr ? [openFifoReader(paths.stderr)] : [])];
    const sinks = [options.stdout, options.stderr];
    const drained = Promise.all(readers.map((reader, i) => pumpOutput(reader, sinks[i])));
    let added = false;
    try {
      await tasks.exec({ containerId, execId, terminal: options.tty, spec: jsonAny(SpecType.process, process), ...paths });
      added = true;
      await tasks.start({ containerId, execId });
      const exit = tasks.wait({ containerId, execId });
      const kill = () => void tasks.kill({ containerId, execId, signal: 9 }).catch(() => {});
      options.signal?.addEventListener('abort', kill, { once: true });
      if (options.signal?.aborted) kill();
      if (options.stdin) this.#feed(options.stdin, paths.stdin, containerId, execId);
      if (options.resize) this.#resize(options.resize, containerId, execId);
      let timedOut = false;
      const cancel = options.timeoutMs
        ? this.clock.setTimeout(() => {
            timedOut = true;
            kill();
          }, options.timeoutMs)
        : () => {};
      const { exitStatus } = await exit.finally(() => {
        cancel();
        options.signal?.removeEventListener('abort', kill);
      });
      if (timedOut)
        throw new CriError('deadlineExceeded', `failed to exec in container: timeout ${(options.timeoutMs ?? 0) / 1000}s exceeded: context deadline exceeded`);
      // The shim's copying ends with the process, unless a child keeps the pipe: that does not hold us.
      let late = () => {};
      await Promise.race([drained, new Promise<void>((resolve) => (late = this.clock.setTimeout(resolve, DRAIN_MS)))]);
      late();
      return exitStatus;
    } catch (error) {
      if (isRpcError(error, 'notFound')) throw new CriError('notFound', `failed to exec in container ${containerId}: ${error.message}`, { cause: error });
      throw error;
    } finally {
      for (const reader of readers) reader.destroy();
      if (added) await tasks.deleteProcess({ containerId, execId }).catch(() => {});
      await rm(dir, { recursive: true, force: true });
    }
  }

  #feed(stdin: Readable, path: string, containerId: string, execId: string): void {
    const writer = openFifoWriter(path);
    writer.on('error', () => {});
    stdin.on('error', () => writer.destroy());
    stdin.pipe(writer, { end: false });
    stdin.once('end', () => {
      writer.end(() => {
        writer.destroy();
        void this.containerd.tasks.closeIO({ containerId, execId, stdin: true }).catch(() => {});
      });
    });
  }

  #resize(sizes: AsyncIterable<{ readonly width: number; readonly height: number }>, containerId: string, execId: string): void {
    void (async () => {
      for await (const { width, height } of sizes) await this.containerd.tasks.resizePty({ containerId, execId, width, height }).catch(() => {});
    })();
  }
}
