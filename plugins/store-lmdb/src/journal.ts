import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statfsSync, write } from 'node:fs';
import { dirname, join } from 'node:path';
import { corrupt } from './check-file.js';
import { decodeFrame, encodeFrame, frameLength, holdsFrame } from './journal-frame.js';
import type { Frame } from './journal-frame.js';
import type { Mutation } from '@coxswain/mvcc';
import { noSpace, translate } from './translate-error.js';

/** A file that is longer takes no further frame. */
const FILE_BYTES = 4 * 1024 * 1024;
/** How far space is asked for at once: asking costs about as much as encoding a frame. */
const STEP_BYTES = 256 * 1024;

interface File {
  readonly path: string;
  readonly fd: number;
  /** Where the next frame goes. */
  end: number;
  /** Up to here it has been seen that there is room. */
  roomTo: number;
  /** Of its last frame; what is behind it is older than the file's first. */
  last: number;
}

/**
 * Two files written in turn, each from its beginning: a frame is durable when its write returns (O_DSYNC), and since the files keep their
 * length, that is one write of the disk and none of the file system's own.
 */
export class Journal {
  readonly #files: readonly [File, File];
  #current: File;
  #sequence: number;

  private constructor(files: readonly [File, File], sequence: number) {
    this.#files = files;
    this.#sequence = sequence;
    this.#current = files[0].last >= files[1].last ? files[0] : files[1];
  }

  /**
   * Open the two files of a folder, or make them. `after`: the last frame that is not needed any more. Returns the frames after it.
   * Throws `CorruptStoreError` when one that was acknowledged is damaged or missing.
   */
  static open(folder: string, after: number): { journal: Journal; frames: Frame[] } {
    const names = ['journal-0', 'journal-1'].map((name) => join(folder, name)) as [string, string];
    const opened: number[] = [];
    try {
      const files = names.map((path): File => {
        const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
        opened.push(fd);
        return { path, fd, end: 0, roomTo: fstatSync(fd).size, last: 0 };
      }) as [File, File];
      const frames = recover(files, after);
      const last = frames.at(-1)?.sequence ?? after;
      return { journal: new Journal(files, last), frames };
    } catch (error) {
      for (const fd of opened) closeSync(fd);
      throw translate(error, names[0]);
    }
  }

  /** What an append takes. */
  static lengthOf(mutations: readonly Mutation[]): number {
    return frameLength(mutations);
  }

  /** Of the newest frame. */
  get sequence(): number {
    return this.#sequence;
  }

  get sizeBytes(): number {
    return this.#files.reduce((sum, { fd }) => sum + fstatSync(fd).size, 0);
  }

  /** Whether `length` more bytes fit once nothing up to `applied` is needed any more. */
  fits(length: number, applied: number): boolean {
    return this.#fits(this.#current, length) || this.#other.last <= applied;
  }

  /** Only after `fits`; `reserve` bytes of the disk stay free. Resolves once durable. */
  async append(mutations: readonly Mutation[], reserve: number): Promise<Frame> {
    const sequence = this.#sequence + 1;
    const bytes = encodeFrame(sequence, mutations);
    let file = this.#current;
    if (!this.#fits(file, bytes.length)) {
      file = this.#other;
      file.end = 0;
    }
    makeRoom(file, bytes.length, reserve);
    try {
      await writeWhole(file.fd, bytes, file.end);
    } catch (error) {
      // What did not arrive whole must not be found whole after a crash.
      truncate(file, file.end);
      throw translate(error, file.path);
    }
    this.#current = file;
    this.#sequence = file.last = sequence;
    file.end += bytes.length;
    return { sequence, mutations, length: bytes.length };
  }

  /** Nothing in it is needed any more. */
  clear(): void {
    for (const file of this.#files) truncate(file, 0);
  }

  close(): void {
    for (const { fd } of this.#files) closeSync(fd);
  }

  get #other(): File {
    return this.#current === this.#files[0] ? this.#files[1] : this.#files[0];
  }

  #fits({ end }: File, length: number): boolean {
    // A frame larger than a file gets one for itself.
    return end === 0 || end + length <= FILE_BYTES;
  }
}

/** Reads the files and finds their ends. */
function recover(files: readonly [File, File], after: number): Frame[] {
  const contents = files.map(({ path }) => readFileSync(path)) as [Buffer, Buffer];
  const found: Frame[] = [];
  for (const [i, file] of files.entries()) {
    const bytes = contents[i] as Buffer;
    for (let frame = decodeFrame(bytes, 0); frame && (file.end === 0 || frame.sequence === file.last + 1); frame = decodeFrame(bytes, file.end)) {
      file.last = frame.sequence;
      file.end += frame.length;
      if (frame.sequence > after) found.push(frame);
    }
  }
  found.sort((a, b) => a.sequence - b.sequence);
  const frames = found.filter((frame, i) => frame.sequence === after + 1 + i);
  const next = after + frames.length + 1;
  // A frame cut short by a crash was never acknowledged; but then there is none after it.
  const lost = frames.length < found.length || contents.some((bytes) => holdsFrame(bytes, next + 1));
  if (lost) throw corrupt(files[0].path, `append ${next} is damaged or missing in it and ${files[1].path}, and later ones are there`);
  return frames;
}

function makeRoom(file: File, length: number, reserve: number): void {
  const end = file.end + length;
  if (end <= file.roomTo) return;
  const { bavail, bsize } = statfsSync(dirname(file.path));
  if (bavail * bsize < reserve + length + STEP_BYTES) throw noSpace(file.path);
  file.roomTo = end + STEP_BYTES;
}

function truncate(file: File, length: number): void {
  try {
    ftruncateSync(file.fd, length);
    file.end = file.roomTo = length;
  } catch {
    // The next frame overwrites it.
  }
}

function writeWhole(fd: number, bytes: Buffer, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (from: number) =>
      write(fd, bytes, from, bytes.length - from, at + from, (error, written) => {
        if (error) reject(error);
        else if (from + written === bytes.length) resolve();
        else step(from + written);
      });
    step(0);
  });
}
