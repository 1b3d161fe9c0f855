import type { Clock, Logger } from '@coxswain/sdk';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip } from 'node:zlib';
import type { LogEntry } from '../log-entry.js';
import { decodeSegment, SegmentEncoder, type StoredLine } from './segment-codec.js';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** An open segment is closed and compressed at this size or age, whichever comes first. */
const DEFAULT_SEGMENT_BYTES = 2 * 1024 * 1024;
const SEGMENT_AGE_MS = 10 * 60_000;

export interface LogStoreOptions {
  readonly folder: string;
  readonly retention: { readonly bytes: number; readonly ageMs: number };
  /** Default 2 MiB. */
  readonly segmentBytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `SEQUENCE-FROM-TO.gz`: milliseconds since the epoch of the oldest and the newest entry. */
const SEALED = /^(\d{8})-(\d+)-(\d+)\.gz$/;
const OPEN = /^(\d{8})\.open$/;

interface Segment {
  readonly sequence: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

interface OpenSegment {
  readonly sequence: number;
  readonly path: string;
  readonly fd: number;
  readonly encoder: SegmentEncoder;
  readonly openedAt: number;
  from: number;
  to: number;
  bytes: number;
}

/** Entries on disk: appended as text, compressed in segments, the oldest dropped beyond the retention limits. */
export class LogStore {
  #sealed: Segment[] = [];
  #open: OpenSegment | undefined;
  /** Segments that are being compressed: still read from their text. */
  readonly #sealing = new Set<OpenSegment>();
  #next = 1;
  #work: Promise<void> = Promise.resolve();

  constructor(readonly options: LogStoreOptions) {}

  /** Looks at what an earlier run left; returns how far each log file is covered by what it did not seal. */
  recover(): Map<string, number> {
    const { folder } = this.options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const covered = new Map<string, number>();
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const sealed = SEALED.exec(name);
      const open = OPEN.exec(name);
      if (sealed) {
        this.#sealed.push({ sequence: Number(sealed[1]), name, from: Number(sealed[2]), to: Number(sealed[3]), bytes: statSync(path).size });
        this.#next = Math.max(this.#next, Number(sealed[1]) + 1);
      } else if (name.endsWith('.tmp')) rmSync(path, { force: true });
      else if (open) this.#next = Math.max(this.#next, Number(open[1]) + 1);
    }
    const cover = ({ file, resumeAt }: StoredLine) => covered.set(file, Math.max(covered.get(file) ?? 0, resumeAt));
    // The newest may have been sealed after positions were last saved.
    const newest = this.#sealed.at(-1);
    if (newest) for (const line of decodeSegment(gunzipSync(readFileSync(join(folder, newest.name))).toString('utf8'))) cover(line);
    for (const name of readdirSync(folder).filter((n) => OPEN.test(n))) {
      const sequence = Number(OPEN.exec(name)?.[1]);
      const path = join(folder, name);
      // It was sealed, and the crash came before its text was removed.
      if (this.#sealed.some((s) => s.sequence === sequence)) {
        rmSync(path, { force: true });
        continue;
      }
      const text = readFileSync(path, 'utf8');
      let [from, to] = [Number.POSITIVE_INFINITY, 0];
      for (const line of decodeSegment(text)) {
        const at = Date.parse(line.entry.time);
        [from, to] = [Math.min(from, at), Math.max(to, at)];
        cover(line);
      }
      if (to === 0) {
        rmSync(path, { force: true });
        continue;
      }
      this.#seal({ sequence, path, fd: -1, encoder: new SegmentEncoder(), openedAt: 0, from, to, bytes: text.length });
    }
    return covered;
  }

  get bytes(): number {
    return this.#sealed.reduce((n, s) => n + s.bytes, this.#open?.bytes ?? 0);
  }

  append(lines: readonly StoredLine[]): void {
    if (lines.length === 0) return;
    const segment = (this.#open ??= this.#begin());
    let text = '';
    for (const line of lines) {
      text += segment.encoder.encode(line);
      const at = Date.parse(line.entry.time);
      segment.from = Math.min(segment.from, at);
      segment.to = Math.max(segment.to, at);
    }
    segment.bytes += writeSync(segment.fd, text);
    if (segment.bytes >= (this.options.segmentBytes ?? DEFAULT_SEGMENT_BYTES)) this.#roll();
  }

  /** What was appended survives a power cut once this returns. Also closes a segment that has grown old. */
  flush(): void {
    if (!this.#open) return;
    fsyncSync(this.#open.fd);
    if (this.options.clock.now() - this.#open.openedAt >= SEGMENT_AGE_MS) this.#roll();
  }

  /** Batches of entries of this stretch of time, roughly in the order they were collected. */
  async *read(fromMs: number, toMs: number): AsyncGenerator<LogEntry[]> {
    const within = ({ from, to }: { from: number; to: number }) => to >= fromMs && from <= toMs;
    const open = [...this.#sealing, ...(this.#open ? [this.#open] : [])];
    const sealed = this.#sealed.filter(within);
    for (const { name } of sealed) {
      const packed = await readFile(join(this.options.folder, name)).catch(() => undefined);
      // Retention was faster.
      if (!packed) continue;
      yield entriesOf((await unzip(packed)).toString('utf8'), fromMs, toMs);
    }
    for (const segment of open.filter(within)) {
      const text = await readFile(segment.path, 'utf8').catch(() => this.#readSealed(segment.sequence));
      yield entriesOf(text, fromMs, toMs);
    }
  }

  async close(): Promise<void> {
    if (this.#open) {
      fsyncSync(this.#open.fd);
      closeSync(this.#open.fd);
      this.#open = undefined;
    }
    await this.#work;
  }

  async #readSealed(sequence: number): Promise<string> {
    const segment = this.#sealed.find((s) => s.sequence === sequence);
    return segment ? (await unzip(await readFile(join(this.options.folder, segment.name)))).toString('utf8') : '';
  }

  #begin(): OpenSegment {
    const sequence = this.#next++;
    const path = join(this.options.folder, `${String(sequence).padStart(8, '0')}.open`);
    return {
      sequence,
      path,
      fd: openSync(path, 'a', 0o600),
      encoder: new SegmentEncoder(),
      openedAt: this.options.clock.now(),
      from: Number.POSITIVE_INFINITY,
      to: 0,
      bytes: 0,
    };
  }

  #roll(): void {
    const segment = this.#open;
    if (!segment) return;
    this.#open = undefined;
    fsyncSync(segment.fd);
    closeSync(segment.fd);
    this.#seal(segment);
  }

  /** Compress beside, move into place, then remove the text: a crash in between is seen by `recover`. */
  #seal(segment: OpenSegment): void {
    this.#sealing.add(segment);
    this.#work = this.#work
      .then(async () => {
        const name = `${String(segment.sequence).padStart(8, '0')}-${segment.from}-${segment.to}.gz`;
        const target = join(this.options.folder, name);
        const packed = await zip(await readFile(segment.path));
        writeFileSync(`${target}.tmp`, packed, { mode: 0o600, flush: true });
        renameSync(`${target}.tmp`, target);
        this.#sealed.push({ sequence: segment.sequence, name, from: segment.from, to: segment.to, bytes: packed.length });
        this.#sealing.delete(segment);
        rmSync(segment.path, { force: true });
        this.#retain();
      })
      .catch((err: unknown) => this.options.logger.error('a log segment was not compressed', { segment: segment.path, err }));
  }

  #retain(): void {
    const { folder, retention, clock } = this.options;
    this.#sealed.sort((a, b) => a.sequence - b.sequence);
    const oldest = clock.now() - retention.ageMs;
    while (this.#sealed[0] && (this.bytes > retention.bytes || this.#sealed[0].to < oldest)) {
      rmSync(join(folder, this.#sealed[0].name), { force: true });
      this.#sealed.shift();
    }
  }
}

function entriesOf(text: string, fromMs: number, toMs: number): LogEntry[] {
  const out: LogEntry[] = [];
  for (const { entry } of decodeSegment(text)) {
    const at = Date.parse(entry.time);
    if (at >= fromMs && at <= toMs) out.push(entry);
  }
  return out;
}
