import type { Clock, Logger } from '@coxswain/sdk';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LogEntry, LogSource } from '../log-entry.js';
import type { LogStore } from '../store/log-store.js';
import type { StoredLine } from '../store/segment-codec.js';
import { type JoinedLine, LineJoiner } from './line-joiner.js';
import { type ContainerLog, type LogFile, LogFolders } from './log-files.js';
import type { Positions } from './positions.js';

const CHUNK = 256 * 1024;
/** One container that writes without end must not keep the others waiting. */
const MOST_PER_ROUND = 4 * 1024 * 1024;

export interface CollectorOptions {
  /** `/var/log/containers` or its like. */
  readonly folder: string;
  readonly store: LogStore;
  readonly positions: Positions;
  readonly labelsOf: (namespace: string, pod: string, uid: string) => Readonly<Record<string, string>>;
  /** After they are stored. */
  readonly onEntries: (entries: readonly LogEntry[]) => void;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Reader {
  readonly id: string;
  readonly source: Omit<LogSource, 'labels'>;
  readonly handle: FileHandle;
  readonly joiner: LineJoiner;
  path: string;
  offset: number;
  /** Up to where lines have been taken. */
  resumeAt: number;
}

/**
 * Collects the containers' logs by looking at their folders again and again. Files stay open while they are read, so that what a
 * container wrote last is had even when its file is removed right after.
 */
export class Collector {
  readonly #readers = new Map<string, Reader>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  readonly #folders: LogFolders;
  #collected: StoredLine[] = [];

  constructor(readonly options: CollectorOptions) {
    this.#folders = new LogFolders(() => options.clock.now());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, pollMs } = this.options;
    while (!signal.aborted) {
      await this.round().catch((err: unknown) => logger.warn('collecting logs failed', { err }));
      await clock.sleep(pollMs, signal).catch(() => {});
    }
    await this.close();
  }

  /** Lets go of the files it reads; the next round opens them again, and goes on where it was. */
  async close(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    await Promise.all(readers.map(({ handle }) => handle.close()));
  }

  /** Takes everything that was written up to now, and remembers that it did. */
  async round(): Promise<void> {
    const { positions, store } = this.options;
    const present = new Set<string>();
    for (const log of this.#folders.containers(this.options.folder)) {
      const files = this.#folders.files(log.folder);
      for (const { id } of files) present.add(id);
      await this.#folder(log, files, present);
    }
    for (const reader of [...this.#readers.values()]) if (!present.has(reader.id)) await this.#finish(reader);
    this.#hand();
    store.flush();
    positions.keep(present);
    positions.save();
  }

  async #folder(log: ContainerLog, files: readonly LogFile[], present: ReadonlySet<string>): Promise<void> {
    let before: Reader | undefined;
    for (const [i, file] of files.entries()) {
      if (file.compressed) {
        await this.#compressed(log, file, present);
        continue;
      }
      const last = i === files.length - 1;
      const done = this.options.positions.get(file.id);
      if (!last && !this.#readers.has(file.id) && done && done.offset >= file.size) continue;
      const reader = await this.#reader(log, file, before);
      if (!reader) continue;
      reader.path = file.path;
      if (file.size < reader.offset) {
        // Emptied in place.
        await reader.handle.close();
        this.#readers.delete(reader.id);
        this.options.positions.set(file.id, { offset: 0, path: file.path });
        continue;
      }
      const whole = file.size === reader.offset || (await this.#read(reader));
      before = reader;
      // Nothing more will be written to a file that has a successor.
      if (!last && whole && !reader.joiner.open) await this.#finish(reader);
    }
  }

  async #reader({ namespace, pod, podUid, container }: ContainerLog, file: LogFile, before: Reader | undefined): Promise<Reader | undefined> {
    const known = this.#readers.get(file.id);
    if (known) return known;
    const handle = await open(file.path, 'r').catch(() => undefined);
    if (!handle) return undefined;
    const saved = this.options.positions.get(file.id)?.offset ?? 0;
    const offset = saved > file.size ? 0 : saved;
    const continues = offset === 0 && before?.joiner.open ? before : undefined;
    const joiner = new LineJoiner(offset, continues?.joiner);
    const reader: Reader = { id: file.id, source: { namespace, pod, podUid, container }, handle, joiner, path: file.path, offset, resumeAt: offset };
    this.#readers.set(file.id, reader);
    if (continues) await this.#close(continues);
    return reader;
  }

  /** True when it came to the end of the file. */
  async #read(reader: Reader): Promise<boolean> {
    for (let taken = 0; taken < MOST_PER_ROUND; ) {
      const { bytesRead } = await reader.handle.read(this.#buffer, 0, CHUNK, reader.offset);
      if (bytesRead === 0) return true;
      // A copy: the joiner keeps what does not end yet.
      this.#take(reader, reader.joiner.push(Buffer.from(this.#buffer.subarray(0, bytesRead))));
      reader.offset += bytesRead;
      taken += bytesRead;
    }
    return false;
  }

  #take(reader: Reader, lines: Iterable<{ time: string; stream: LogEntry['stream']; text: string; resumeAt: number }>): void {
    const { namespace, pod, podUid } = reader.source;
    let source: LogSource | undefined;
    for (const { time, stream, text, resumeAt } of lines) {
      source ??= { ...reader.source, labels: this.options.labelsOf(namespace, pod, podUid) };
      reader.resumeAt = resumeAt;
      this.#collected.push({ entry: { source, time, stream, text }, file: reader.id, resumeAt });
    }
    this.#hand();
    this.options.positions.set(reader.id, { offset: reader.resumeAt, path: reader.path });
  }

  #hand(): void {
    const lines = this.#collected;
    if (lines.length === 0) return;
    this.#collected = [];
    this.options.store.append(lines);
    this.options.onEntries(lines.map(({ entry }) => entry));
  }

  /** The rest of a file that is gone or complete. */
  async #finish(reader: Reader): Promise<void> {
    await this.#read(reader);
    this.#take(reader, reader.joiner.flush());
    await this.#close(reader);
  }

  async #close(reader: Reader): Promise<void> {
    this.#readers.delete(reader.id);
    this.options.positions.set(reader.id, { offset: reader.offset, path: reader.path });
    await reader.handle.close();
  }

  /** A rotated file is compressed some time: only what was not had of it before is taken. */
  async #compressed(log: ContainerLog, file: LogFile, present: ReadonlySet<string>): Promise<void> {
    const { positions, logger } = this.options;
    if ((positions.get(file.id)?.offset ?? -1) >= file.size) return;
    const plain = file.path.slice(0, -'.gz'.length);
    const before = [...positions.entries()].find(([id, p]) => p.path === plain && !present.has(id));
    const reader = before ? this.#readers.get(before[0]) : undefined;
    if (reader) await this.#finish(reader);
    const from = before ? (positions.get(before[0])?.offset ?? 0) : 0;
    const joiner = new LineJoiner(from);
    const source = { namespace: log.namespace, pod: log.pod, podUid: log.podUid, container: log.container };
    const labels = this.options.labelsOf(log.namespace, log.pod, log.podUid);
    const take = (lines: Iterable<JoinedLine>, resumeAt: number) => {
      for (const { time, stream, text } of lines)
        this.#collected.push({ entry: { source: { ...source, labels }, time, stream, text }, file: file.id, resumeAt });
      this.#hand();
    };
    try {
      // A little at a time: few bytes may become very many.
      let skip = from;
      for await (const chunk of unzipped(file.path)) {
        const part = chunk.subarray(skip);
        skip -= chunk.length - part.length;
        if (part.length > 0) take(joiner.push(part), 0);
      }
      take(joiner.flush(), file.size);
    } catch (err) {
      logger.warn('a compressed log cannot be read', { file: file.path, err });
    }
    positions.set(file.id, { offset: file.size, path: file.path });
  }
}

function unzipped(path: string): AsyncIterable<Buffer> {
  const plain = createGunzip({ chunkSize: CHUNK });
  // What goes wrong is told by the last of the two.
  pipeline(createReadStream(path), plain, () => {});
  return plain;
}
