import { writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { criLogLine, type LogStream, MAX_LINE_BYTES } from '@coxswain/cri-runtime';
import type { Clock } from '@coxswain/sdk';

/** Text without its newline is written as partial after this long, so that prompts show and little is lost in a crash. */
const PARTIAL_FLUSH_MS = 200;
/** A pipe's PIPE_BUF of text, and its frame. */
const AT_ONCE_BYTES = 8 * 1024;
const DONE = Promise.resolve();

/** A container's log file; both streams append whole lines. An empty path throws everything away. */
export class CriLogFile {
  #file: FileHandle | undefined;
  #queue: Promise<void> = DONE;
  /** Steps of the queue that have not ended. */
  #waiting = 0;
  #lastNanos = 0n;
  readonly #monotonicBase: bigint;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
    private readonly onError: (error: Error) => void = () => {},
  ) {
    this.#monotonicBase = BigInt(Math.round(clock.now() * 1e6)) - BigInt(Math.round(clock.monotonic() * 1e6));
  }

  async open(): Promise<void> {
    if (this.path === '') return;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
    this.#file = await open(this.path, 'a', 0o640);
  }

  /** Go on in a new file at the same path, after the old one was renamed away. */
  reopen(): Promise<void> {
    return this.#then(async () => {
      const old = this.#file;
      await this.open();
      await old?.close();
    });
  }

  /**
   * Few bytes are written at once: what has been read from the pipe is nowhere else, so whoever kills this process must not find it between the two;
   * and it costs less than the way through the thread pool. Many go that way, for they may have to wait for the disk.
   */
  write(bytes: Buffer): Promise<void> {
    if (this.#waiting === 0 && bytes.length <= AT_ONCE_BYTES) {
      if (this.#file) this.#guard(() => writeFileSync((this.#file as FileHandle).fd, bytes));
      return DONE;
    }
    return this.#then(async () => {
      if (this.#file) await this.#guard(() => this.#file?.writeFile(bytes));
    });
  }

  close(): Promise<void> {
    return this.#then(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  /** Now in RFC 3339 with nanoseconds, never going back. */
  timestamp(): string {
    let nanos = this.#monotonicBase + BigInt(Math.round(this.clock.monotonic() * 1e6));
    // The wall clock may have been set since: follow it, but only forward.
    const wall = BigInt(Math.round(this.clock.now() * 1e6));
    if (nanos < wall - 1_000_000_000n || nanos > wall + 1_000_000_000n) nanos = wall;
    if (nanos <= this.#lastNanos) nanos = this.#lastNanos + 1n;
    this.#lastNanos = nanos;
    const seconds = new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
  }

  /** A full disk must not stop the container: its output is dropped, and said so. */
  #guard(write: () => void | Promise<void>): void | Promise<void> {
    const failed = (error: unknown) => this.onError(error as Error);
    try {
      return write()?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #then(run: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const next = this.#queue.then(run).finally(() => this.#waiting--);
    this.#queue = next.catch(() => {});
    return next;
  }
}

/** Copy one stream into the log until it ends. `tap` sees every chunk first. Back-pressure: nothing is read while a write is pending. */
export async function copyToLog(
  source: AsyncIterable<Uint8Array>,
  stream: LogStream,
  log: CriLogFile,
  clock: Clock,
  tap: (chunk: Buffer) => void,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let cancel: (() => void) | undefined;
  const flush = () => {
    if (rest.length === 0) return;
    const text = rest;
    rest = Buffer.alloc(0);
    void log.write(criLogLine(log.timestamp(), stream, true, text));
  };
  for await (const part of source) {
    cancel?.();
    const chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    tap(chunk);
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const out: Buffer[] = [];
    const timestamp = log.timestamp();
    for (;;) {
      const newline = data.indexOf(10);
      const end = newline < 0 ? data.length : newline;
      if (end > MAX_LINE_BYTES) {
        out.push(criLogLine(timestamp, stream, true, data.subarray(0, MAX_LINE_BYTES)));
        data = data.subarray(MAX_LINE_BYTES);
        continue;
      }
      if (newline < 0) break;
      out.push(criLogLine(timestamp, stream, false, data.subarray(0, newline)));
      data = data.subarray(newline + 1);
    }
    rest = data;
    await log.write(Buffer.concat(out));
    if (rest.length > 0) cancel = clock.setTimeout(flush, PARTIAL_FLUSH_MS);
  }
  cancel?.();
  // As containerd does: what never got its newline stays a partial line.
  if (rest.length > 0) await log.write(criLogLine(log.timestamp(), stream, true, rest));
}
