import { mkdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { makeFifo, openFifoReader, openFifoWriter } from '@coxswain/cri-runtime';
import type { Clock, Logger } from '@coxswain/sdk';
import type { LogStream } from '@coxswain/cri-runtime';
import { CriLogFile, copyToLog } from './cri-log.js';
import type { Keeper } from './keeper.js';

/** Output an attached client has not taken: past this it is dropped from the container. */
const ATTACH_BUFFER_BYTES = 1024 * 1024;

export interface ContainerIoOptions {
  /** Folder for the pipes; under the runtime state. */
  readonly dir: string;
  /** Absolute; empty: no log. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keeper: Keeper;
}

/** Descriptor numbers in the keeper, remembered with the container. */
export interface IoSlots {
  readonly stdout: number;
  readonly stderr?: number;
}

/** A container's standard streams: named pipes between the shim and us. The shim and the keeper hold them when we are gone. */
export class ContainerIo {
  readonly paths: { readonly stdin: string; readonly stdout: string; readonly stderr: string };
  readonly #log: CriLogFile;
  readonly #taps = new Set<{ readonly stream: LogStream; readonly sink: Writable; readonly drop: () => void }>();
  #readers: Socket[] = [];
  #stdin: Socket | undefined;
  #slots: IoSlots | undefined;
  /** Resolves when all output has been read and written to the log. */
  drained: Promise<void> = Promise.resolve();

  constructor(private readonly options: ContainerIoOptions) {
    const { dir } = options;
    this.paths = { stdin: options.stdin ? join(dir, 'stdin') : '', stdout: join(dir, 'stdout'), stderr: options.tty ? '' : join(dir, 'stderr') };
    this.#log = new CriLogFile(options.logPath, options.clock, (error) =>
      options.logger.error('container log write failed; output is lost', { err: error, path: options.logPath }),
    );
  }

  /** Make the pipes and start reading. `slots`: taken over from before a restart. Returns what to remember. */
  async open(slots?: IoSlots): Promise<IoSlots> {
    const { keeper } = this.options;
    await mkdir(this.options.dir, { recursive: true, mode: 0o700 });
    for (const path of Object.values(this.paths)) if (path) makeFifo(path);
    await this.#log.open();
    // Readers first: the keeper's opening must not be the only thing that holds a pipe with data in it.
    this.#readers = [openFifoReader(this.paths.stdout), ...(this.paths.stderr ? [openFifoReader(this.paths.stderr)] : [])];
    if (slots) {
      for (const [slot, path] of [
        [slots.stdout, this.paths.stdout],
        [slots.stderr, this.paths.stderr],
      ] as const) {
        if (slot === undefined || !path) continue;
        if (keeper.fresh) keeper.hold(path, slot);
        else keeper.claim(slot);
      }
    } else {
      slots = { stdout: keeper.hold(this.paths.stdout), ...(this.paths.stderr ? { stderr: keeper.hold(this.paths.stderr) } : {}) };
    }
    this.#slots = slots;
    const streams: LogStream[] = ['stdout', 'stderr'];
    this.drained = Promise.all(this.#readers.map((reader, i) => this.#copy(reader, streams[i] as LogStream))).then(async () => {
      await this.#log.close();
      for (const tap of this.#taps) tap.drop();
    });
    return slots;
  }

  /** The container has ended and the shim has copied everything: nobody but us may hold the pipes now. */
  async finish(): Promise<void> {
    this.#release();
    this.#stdin?.destroy();
    await this.drained;
  }

  /** Stop reading without an end, when our server stops; what comes next stays in the pipes. */
  async detach(): Promise<void> {
    for (const reader of this.#readers) reader.destroy();
    this.#stdin?.destroy();
    await this.drained.catch(() => {});
  }

  /** Remove the pipes. */
  async remove(): Promise<void> {
    this.#release();
    for (const reader of this.#readers) reader.destroy();
    this.#stdin?.destroy();
    await rm(this.options.dir, { recursive: true, force: true });
  }

  reopenLog(): Promise<void> {
    return this.#log.reopen();
  }

  /** Send output to `sink` too, from now on. Returns the undo; `dropped` is called when the sink is too slow or the output has ended. */
  tap(stream: LogStream, sink: Writable, dropped: () => void): () => void {
    const entry = { stream, sink, drop: dropped };
    this.#taps.add(entry);
    return () => this.#taps.delete(entry);
  }

  /** The container's standard input; shared by all who attach. Undefined without one. */
  stdin(): Writable | undefined {
    if (!this.paths.stdin) return undefined;
    if (!this.#stdin || this.#stdin.destroyed) {
      this.#stdin = openFifoWriter(this.paths.stdin);
      this.#stdin.on('error', () => {});
    }
    return this.#stdin;
  }

  /** Close our end of standard input; the shim is told to close its own by `CloseIO`. */
  closeStdin(): Promise<void> {
    const stdin = this.#stdin;
    this.#stdin = undefined;
    return new Promise((resolve) => {
      if (!stdin || stdin.destroyed) return resolve();
      stdin.once('close', () => resolve());
      stdin.end(() => stdin.destroy());
    });
  }

  #release(): void {
    if (!this.#slots) return;
    this.options.keeper.release(this.#slots.stdout);
    if (this.#slots.stderr !== undefined) this.options.keeper.release(this.#slots.stderr);
    this.#slots = undefined;
  }

  async #copy(reader: Socket, stream: LogStream): Promise<void> {
    const tap = (chunk: Buffer) => {
      for (const entry of this.#taps) {
        if (entry.stream !== stream) continue;
        entry.sink.write(chunk);
        if (entry.sink.writableLength > ATTACH_BUFFER_BYTES) {
          this.#taps.delete(entry);
          entry.drop();
        }
      }
    };
    try {
      await copyToLog(reader, stream, this.#log, this.options.clock, tap);
    } catch (error) {
      // Destroyed by detach() or remove(): not an end of the stream.
      if (!reader.destroyed) this.options.logger.error('reading container output failed', { err: error, stream });
    }
  }
}
