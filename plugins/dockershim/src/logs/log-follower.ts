import { type Clock, type Logger, SerialQueue } from '@coxswain/sdk';
import type { Engine } from '../engine/engine.js';
import { isEngineStatus } from '../engine/engine-error.js';
import { frames } from '../engine/frames.js';
import { nanoseconds } from '../times.js';
import { LogFile, type LogPosition } from './log-file.js';
import { logLine, terminalFrames } from './log-lines.js';

export interface LogFollowerOptions {
  readonly engine: Engine;
  readonly id: string;
  readonly tty: boolean;
  /** Absolute. */
  readonly path: string;
  /** Folder for positions. */
  readonly positions: string;
  readonly running: () => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 500;

/**
 * Copies a container's output from the engine's log to the kubelet's, until the container ends. The engine keeps what is written while
 * nobody follows, so neither its restart nor ours loses or repeats a line.
 */
export class LogFollower {
  readonly #stop = new AbortController();
  readonly #file: LogFile;
  #position: LogPosition | undefined;
  readonly #queue = new SerialQueue();
  #finished: Promise<void> = Promise.resolve();

  constructor(private readonly options: LogFollowerOptions) {
    this.#file = new LogFile(options.path, options.positions, options.id);
  }

  /** Resolves when all output of the ended container has been copied, or after `stop`. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  start(): void {
    this.#finished = this.#run();
  }

  /** Go on in a new file. */
  reopen(): Promise<void> {
    return this.#queue.run(() => this.#file.reopen(this.#position));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the log is no longer followed'));
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { clock, logger, id, running } = this.options;
    const { signal } = this.#stop;
    try {
      await this.#queue.run(async () => {
        this.#position = await this.#file.open();
      });
    } catch (error) {
      return logger.error('a container log cannot be written', { err: error, container: id });
    }
    while (!signal.aborted) {
      try {
        // Asked before: what a container wrote before its end is then all there.
        const more = await running();
        await this.#copy();
        if (!more) return await this.#queue.run(() => this.#file.finish());
        // The connection broke, not the container.
        if (await running()) await clock.sleep(RETRY_MS, signal);
      } catch (error) {
        if (signal.aborted) break;
        if (isEngineStatus(error, 404)) break;
        logger.warn('following a container log failed; trying again', { err: error, container: id });
        await clock.sleep(RETRY_MS, signal).catch(() => {});
      }
    }
    await this.#queue.run(() => this.#file.close());
  }

  async #copy(): Promise<void> {
    const { engine, id, tty, logger } = this.options;
    const start = this.#position;
    let skip = start?.count ?? 0;
    const source = await engine.containers.logs(id, start && nanoseconds(start.time), this.#stop.signal);
    for await (const some of tty ? terminalFrames(source) : frames(source)) {
      const out: Buffer[] = [];
      for (const frame of some) {
        const { time, bytes } = logLine(frame);
        // The engine tells again what has the time we ask from.
        if (start && (time < start.time || (time === start.time && skip-- > 0))) continue;
        this.#position = { time, count: time === this.#position?.time ? this.#position.count + 1 : 1 };
        out.push(bytes);
      }
      if (out.length === 0) continue;
      // A full disk must not stop the container: its output is dropped, and said so.
      await this.#queue
        .run(() => this.#file.append(Buffer.concat(out)))
        .catch((error: unknown) => logger.error('writing a container log failed', { err: error, container: id }));
    }
  }
}
