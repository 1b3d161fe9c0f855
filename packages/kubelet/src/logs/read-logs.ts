import { createReadStream, watch } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';

export interface LogOptions {
  readonly follow: boolean;
  /** Lines from the end; absent: all. */
  readonly tailLines?: number;
  /** Only lines of this time (ms) or later. */
  readonly sinceMs?: number;
  readonly timestamps: boolean;
  readonly limitBytes?: number;
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
}

export interface FollowSource {
  /** Whether more can come: the container runs. */
  running(): boolean;
  /** Resolves when `running` may have turned. */
  changed(signal: AbortSignal): Promise<void>;
}

const CHUNK = 64 * 1024;

interface Line {
  readonly time: string;
  readonly stream: string;
  readonly partial: boolean;
  readonly text: Buffer;
}

/** One line of a CRI log: `<RFC 3339> <stdout|stderr> <F|P> <text>`. UTC is told as `Z`, however it was written (conmon: `+00:00`). Undefined: not one. */
export function parseLogLine(line: Buffer): Line | undefined {
  const first = line.indexOf(32);
  const second = line.indexOf(32, first + 1);
  const third = line.indexOf(32, second + 1);
  if (first <= 0 || second < 0 || third < 0) return undefined;
  return {
    time: line.toString('latin1', 0, first).replace(/\+00:00$/, 'Z'),
    stream: line.toString('latin1', first + 1, second),
    partial: line.toString('latin1', second + 1, third).split(':')[0] === 'P',
    text: line.subarray(third + 1),
  };
}

/** A container's log from file `path`, rotated predecessors included, as the chunks a client gets. Ends when the container has. */
export async function* readLogs(path: string, options: LogOptions, source: FollowSource, signal: AbortSignal): AsyncGenerator<Buffer> {
  const writer = new LineWriter(options);
  const rotated = await rotatedFiles(path);
  let from = 0;
  if (options.tailLines !== undefined) {
    // Fixed before counting: what is written meanwhile comes after, once.
    from = await completeLength(path);
    for (const line of await lastLines([...rotated, path], from, options)) yield* writer.line(line);
    // No line more than was asked for.
    if (!options.follow) return;
  } else {
    for (const file of rotated) {
      for await (const line of linesOf(file)) {
        yield* writer.line(line);
        if (writer.full) return;
      }
    }
  }
  yield* followFile(path, from, options, writer, source, signal);
}

/** Reads the current file and, when asked to, what comes after, across rotations. */
async function* followFile(
  path: string,
  from: number,
  options: LogOptions,
  writer: LineWriter,
  source: FollowSource,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let file = await openIfThere(path);
  let position = from;
  let draining = false;
  let rest = Buffer.alloc(0);
  const watcher = options.follow ? new FolderWatch(dirname(path), basename(path)) : undefined;
  try {
    for (;;) {
      if (signal.aborted || writer.full) return;
      const wake = new AbortController();
      const any = AbortSignal.any([signal, wake.signal]);
      try {
        // Listened before it is asked, and asked before reading: no end is missed, and what was written before it is surely seen.
        const changed = options.follow ? source.changed(any) : undefined;
        const running = source.running();
        if (file) {
          for (;;) {
            const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
            if (bytesRead === 0) break;
            position += bytesRead;
            const data = rest.length > 0 ? Buffer.concat([rest, buffer.subarray(0, bytesRead)]) : buffer.subarray(0, bytesRead);
            let start = 0;
            const out: Buffer[] = [];
            for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, start)) {
              for (const piece of writer.line(data.subarray(start, at))) out.push(piece);
              start = at + 1;
            }
            rest = Buffer.from(data.subarray(start));
            if (out.length > 0) yield out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
            if (writer.full || signal.aborted) return;
          }
          if (await replaced(file, path)) {
            // What was written between our last read and the change is still in the old file.
            draining = !draining;
            if (draining) continue;
            await file.close();
            file = await openIfThere(path);
            position = 0;
            rest = Buffer.alloc(0);
            continue;
          }
        } else {
          file = await openIfThere(path);
          if (file) continue;
        }
        if (!options.follow || !running) return;
        await Promise.race([watcher?.next(any), changed]);
      } finally {
        wake.abort();
      }
    }
  } finally {
    watcher?.close();
    await file?.close();
  }
}

class LineWriter {
  full = false;
  #left: number;
  #midLine = false;

  constructor(private readonly options: LogOptions) {
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  *line(raw: Buffer): Generator<Buffer> {
    if (this.full) return;
    const line = parseLogLine(raw);
    if (!line || !this.wanted(line)) return;
    const parts: Buffer[] = [];
    if (this.options.timestamps && !this.#midLine) parts.push(Buffer.from(`${line.time} `));
    parts.push(line.text);
    if (!line.partial) parts.push(NEWLINE);
    this.#midLine = line.partial;
    let out = Buffer.concat(parts);
    if (out.length >= this.#left) {
      out = out.subarray(0, this.#left);
      this.full = true;
    }
    this.#left -= out.length;
    if (out.length > 0) yield out;
  }

  wanted(line: Line): boolean {
    const { stream } = this.options;
    if (stream && stream !== 'All' && line.stream !== stream.toLowerCase()) return false;
    const { sinceMs } = this.options;
    return sinceMs === undefined || Date.parse(line.time) >= sinceMs;
  }
}

const NEWLINE = Buffer.from('\n');

async function lastLines(files: readonly string[], end: number, options: LogOptions): Promise<Buffer[]> {
  const count = options.tailLines ?? 0;
  if (count === 0) return [];
  const filter = new LineWriter(options);
  let found: Buffer[] = [];
  for (const file of [...files].reverse()) {
    const lines: Buffer[] = [];
    for await (const raw of linesOf(file, file === files.at(-1) ? end : undefined)) {
      const line = parseLogLine(raw);
      if (!line || !filter.wanted(line)) continue;
      lines.push(Buffer.from(raw));
      // Parts of one line count once; keep memory bounded.
      if (lines.length > 2 * (count + 64)) lines.splice(0, cut(lines, count));
    }
    found = [...lines, ...found];
    const surplus = cut(found, count);
    if (surplus > 0) return found.slice(surplus);
  }
  return found;
}

/** How many leading pieces are beyond the last `count` lines, of which the last may have no end yet. */
function cut(lines: readonly Buffer[], count: number): number {
  let seen = 0;
  for (let i = lines.length - 1; i >= 0; i--) {
    const piece = parseLogLine(lines[i] as Buffer);
    if (piece && (!piece.partial || i === lines.length - 1)) seen++;
    if (seen > count) return i + 1;
  }
  return 0;
}

async function* linesOf(path: string, end?: number): AsyncGenerator<Buffer> {
  if (end === 0 || !(await stat(path).catch(() => undefined))) return;
  const raw = createReadStream(path, { highWaterMark: CHUNK, ...(end !== undefined ? { end: end - 1 } : {}) });
  const stream = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  let rest = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, from)) {
      yield data.subarray(from, at);
      from = at + 1;
    }
    rest = Buffer.from(data.subarray(from));
  }
}

/** Rotated files, oldest first. */
async function rotatedFiles(path: string): Promise<string[]> {
  const base = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((n) => n.startsWith(base) && !n.endsWith('.tmp'))
    .sort()
    .map((n) => join(dirname(path), n));
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Bytes up to the last complete line; 0 without the file. */
async function completeLength(path: string): Promise<number> {
  const file = await openIfThere(path);
  if (!file) return 0;
  try {
    for (let end = (await file.stat()).size; end > 0; ) {
      const length = Math.min(end, CHUNK);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, end - length);
      const at = buffer.lastIndexOf(10);
      if (at >= 0) return end - length + at + 1;
      end -= length;
    }
    return 0;
  } finally {
    await file.close();
  }
}

async function replaced(file: FileHandle, path: string): Promise<boolean> {
  const [mine, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return there !== undefined && (there.ino !== mine.ino || there.size < mine.size);
}

/** Tells of changes of one file through its folder: the file itself may be replaced. */
class FolderWatch {
  #pending = false;
  #resolve: (() => void) | undefined;
  readonly #close: () => void;

  constructor(dir: string, name: string) {
    try {
      const watcher = watch(dir, (_event, changed) => {
        if (changed !== null && changed !== name) return;
        this.#pending = true;
        this.#resolve?.();
      });
      watcher.on('error', () => {});
      this.#close = () => watcher.close();
    } catch {
      this.#close = () => {};
    }
  }

  next(signal: AbortSignal): Promise<void> {
    if (this.#pending) {
      this.#pending = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#pending = false;
        this.#resolve = undefined;
        resolve();
      };
      this.#resolve = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  close(): void {
    this.#close();
  }
}
