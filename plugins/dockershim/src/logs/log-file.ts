import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeJson } from '@coxswain/cri-runtime';

const TIME_BYTES = 30;
/** The last line is looked for this far from the end: no line is longer. */
const TAIL_BYTES = 64 * 1024;
const NEWLINE = 10;

/** How far the engine's log has been copied: the time of the last piece, and how many pieces of that time have been. */
export interface LogPosition {
  readonly time: string;
  readonly count: number;
}

/** A container's log in CRI's format. The file itself says how far it has come; a position beside it says so for one that was rotated away. */
export class LogFile {
  #file: FileHandle | undefined;
  readonly #positionFile: string;

  constructor(
    private readonly path: string,
    positions: string,
    id: string,
  ) {
    this.#positionFile = join(positions, `${id}.json`);
  }

  /** Open for appending; a line that a crash has cut short goes. Returns where to go on; undefined: at the beginning. */
  async open(): Promise<LogPosition | undefined> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
    const file = await open(this.path, 'a+', 0o640);
    this.#file = file;
    const { size } = await file.stat();
    if (size === 0) return this.#rotatedAt();
    const from = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const tail = buffer.subarray(0, bytesRead);
    const end = tail.lastIndexOf(NEWLINE) + 1;
    if (end < tail.length) await file.truncate(from + end);
    const lines = tail.subarray(0, end).toString('latin1').trimEnd().split('\n');
    const time = lines.at(-1)?.slice(0, TIME_BYTES) ?? '';
    return time.length < TIME_BYTES ? this.#rotatedAt() : { time, count: lines.filter((l) => l.startsWith(time)).length };
  }

  async append(bytes: Buffer): Promise<void> {
    await this.#file?.writeFile(bytes);
  }

  /** Go on in a new file at the same path, after the old one was renamed away. */
  async reopen(position: LogPosition | undefined): Promise<void> {
    if (position) {
      await mkdir(dirname(this.#positionFile), { recursive: true, mode: 0o700 });
      await writeJson(this.#positionFile, position);
    }
    const old = this.#file;
    this.#file = await open(this.path, 'a', 0o640);
    await old?.close();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  /** The container has ended and all its output is here. */
  async finish(): Promise<void> {
    await this.close();
    await rm(this.#positionFile, { force: true });
  }

  async #rotatedAt(): Promise<LogPosition | undefined> {
    try {
      return JSON.parse(await readFile(this.#positionFile, 'utf8')) as LogPosition;
    } catch {
      return undefined;
    }
  }
}
