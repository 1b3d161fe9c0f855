import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that would grow over it is put aside. */
  readonly maxSizeBytes: number;
  /** How many files put aside are kept; 0: all. */
  readonly maxBackups: number;
  /** How long they are kept; 0: for ever. */
  readonly maxAgeMs: number;
  /** They are compressed. */
  readonly compress: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/**
 * A log file that is put aside when it has grown large enough, under a name with the time: `audit-2026-11-30T09-25-00.000.log`, as upstream's.
 * Lines are in the file when `write` returns.
 */
export class RotatingFile {
  #fd: number | undefined;
  #size = 0;
  #tidying: Promise<void> = Promise.resolve();

  constructor(readonly options: RotatingFileOptions) {}

  /** Does not throw: what cannot be written is told to `onError`. */
  write(line: string): void {
    try {
      const bytes = Buffer.from(line);
      if (this.#fd === undefined) this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.options.maxSizeBytes) this.#rotate();
      writeSync(this.#fd as number, bytes);
      this.#size += bytes.length;
    } catch (error) {
      this.options.onError(error);
    }
  }

  /** Resolves when files put aside have been compressed and old ones removed. */
  settled(): Promise<void> {
    return this.#tidying;
  }

  #open(): void {
    const { path } = this.options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    this.#fd = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#fd).size;
    this.#tidyLater();
  }

  #rotate(): void {
    const { path, now } = this.options;
    closeSync(this.#fd as number);
    this.#fd = undefined;
    const extension = extname(path);
    const stem = join(dirname(path), basename(path, extension));
    // Two within a millisecond must not take each other's place.
    let at = now();
    while (existsSync(`${stem}-${stamp(at)}${extension}`) || existsSync(`${stem}-${stamp(at)}${extension}.gz`)) at++;
    renameSync(path, `${stem}-${stamp(at)}${extension}`);
    this.#open();
  }

  #tidyLater(): void {
    this.#tidying = this.#tidying.then(() => this.#tidy()).catch(this.options.onError);
  }

  async #tidy(): Promise<void> {
    const { path, maxBackups, maxAgeMs, compress, now } = this.options;
    const extension = extname(path);
    const prefix = `${basename(path, extension)}-`;
    const folder = dirname(path);
    const aside = readdirSync(folder)
      .filter((name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}/.test(name.slice(prefix.length)))
      .filter((name) => name.endsWith(extension) || name.endsWith(`${extension}.gz`))
      .sort()
      .reverse();
    for (const [i, name] of aside.entries()) {
      const file = join(folder, name);
      const old = maxAgeMs > 0 && timeOf(name.slice(prefix.length)) < now() - maxAgeMs;
      if (old || (maxBackups > 0 && i >= maxBackups)) unlinkSync(file);
      else if (compress && !name.endsWith('.gz')) await gzip(file);
    }
  }
}

const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, -1).replaceAll(':', '-');
const timeOf = (text: string): number => Date.parse(`${text.slice(0, 13)}:${text.slice(14, 16)}:${text.slice(17, 23)}Z`);

/** The plain file goes when the compressed one is whole. */
async function gzip(file: string): Promise<void> {
  const temporary = `${file}.gz.tmp`;
  await pipeline(createReadStream(file), createGzip(), createWriteStream(temporary, { mode: statSync(file).mode & 0o777 }));
  renameSync(temporary, `${file}.gz`);
  unlinkSync(file);
}
