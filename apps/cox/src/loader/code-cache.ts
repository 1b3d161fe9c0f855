import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Script } from 'node:vm';

const CHECKSUM_BYTES = 32;
/** V8 copies compiled code that does not begin at a multiple of it. */
const ALIGNMENT = 8;

/**
 * What V8 compiled of scripts, in one file: parsing and compiling them is a third of what a process of ours computes until it is ready.
 *
 * The file: a SHA-256 of all that follows, the length of the index (four bytes), the index (JSON: names and lengths), each script's code.
 * V8 itself refuses code of another V8 or of other options, but believes the bytes: hence the checksum.
 */
export class CodeCache {
  readonly #file: string;
  readonly #codes: Map<string, Buffer>;

  /** A file that is not there, or not whole, is an empty cache. */
  constructor(file: string) {
    this.#file = file;
    this.#codes = read(file);
  }

  get(name: string): Buffer | undefined {
    return this.#codes.get(name);
  }

  /**
   * Keep what these scripts have compiled by now, beside what else is kept. Where it cannot be written, nothing is: the next process compiles
   * again, as this one did.
   */
  save(scripts: ReadonlyMap<string, Pick<Script, 'createCachedData'>>): void {
    for (const [name, script] of scripts) this.#codes.set(name, script.createCachedData());
    const fresh = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      writeFileSync(fresh, encode(this.#codes));
      renameSync(fresh, this.#file);
    } catch {
      try {
        rmSync(fresh);
      } catch {
        // It is not there.
      }
    }
  }
}

function encode(codes: ReadonlyMap<string, Buffer>): Buffer {
  const index = Buffer.from(JSON.stringify([...codes].map(([name, { length }]) => [name, length])));
  const parts: Buffer[] = [Buffer.alloc(4), index];
  parts[0]?.writeUInt32LE(index.length);
  let at = CHECKSUM_BYTES + 4 + index.length;
  for (const code of codes.values()) {
    const gap = aligned(at) - at;
    parts.push(Buffer.alloc(gap), code);
    at += gap + code.length;
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([createHash('sha256').update(body).digest(), body]);
}

function read(file: string): Map<string, Buffer> {
  const codes = new Map<string, Buffer>();
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return codes;
  }
  const checksum = createHash('sha256').update(bytes.subarray(CHECKSUM_BYTES)).digest();
  if (!checksum.equals(bytes.subarray(0, CHECKSUM_BYTES))) return codes;
  const indexAt = CHECKSUM_BYTES + 4;
  const indexEnd = indexAt + bytes.readUInt32LE(CHECKSUM_BYTES);
  let at = indexEnd;
  for (const [name, length] of JSON.parse(bytes.toString('utf8', indexAt, indexEnd)) as [string, number][]) {
    at = aligned(at);
    codes.set(name, bytes.subarray(at, at + length));
    at += length;
  }
  return codes;
}

const aligned = (at: number) => Math.ceil(at / ALIGNMENT) * ALIGNMENT;
