import { OciError } from './error.js';

/** One entry of a tar archive, with pax and GNU extensions applied. */
export interface TarHeader {
  /** As written: may be absolute or hold `..`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo' | 'other';
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Seconds since the epoch; may have a fraction. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes: the pax records `SCHILY.xattr.*`, byte for byte. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const BLOCK = 512;
/** A pax header or long name larger than this is an attack. */
const MAX_META_BYTES = 1024 * 1024;
const TYPES: Readonly<Record<string, TarHeader['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** Reads exact numbers of bytes from a stream. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `size` bytes, at least one; undefined at the end. */
  async some(size: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const out = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(out.length);
    return out;
  }

  async exactly(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let need = size; need > 0; ) {
      const part = await this.some(need);
      if (!part) throw new OciError('invalid', 'the layer is cut off in the middle of an entry');
      parts.push(part);
      need -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  async skip(size: number): Promise<void> {
    for (let need = size; need > 0; ) {
      const part = await this.some(need);
      if (!part) throw new OciError('invalid', 'the layer is cut off in the middle of an entry');
      need -= part.length;
    }
  }

  /** To the end, so that whoever hashes the stream sees all of it. */
  async drain(): Promise<void> {
    while (await this.some(1 << 20));
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/**
 * Reads a tar stream entry by entry: ustar, pax (POSIX.1-2001) and GNU long names and large numbers.
 * `visit` gets each header with its content; what it leaves unread is skipped. The whole stream is consumed, also what follows the end mark.
 */
export async function readTar(source: AsyncIterable<Uint8Array>, visit: (header: TarHeader, content: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  const reader = new ByteReader(source);
  let pax = new Map<string, Buffer>();
  let globalPax = new Map<string, Buffer>();
  let globalBytes = 0;
  let longPath: string | undefined;
  let longTarget: string | undefined;
  try {
    for (;;) {
      const first = await reader.some(BLOCK);
      if (!first) return;
      const block = first.length === BLOCK ? first : Buffer.concat([first, await reader.exactly(BLOCK - first.length)]);
      if (block.every((byte) => byte === 0)) return await reader.drain();
      checkSum(block);
      const flag = String.fromCharCode(block[156] as number);
      const blockSize = numeric(block, 124, 12);
      if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
        if (blockSize > MAX_META_BYTES) throw new OciError('too-large', `a tar header of ${blockSize} bytes is refused`);
        const meta = await reader.exactly(blockSize);
        await reader.skip(padding(blockSize));
        if (flag === 'x') pax = parsePax(meta);
        else if (flag === 'g') {
          // Those add up over the whole archive.
          if ((globalBytes += blockSize) > MAX_META_BYTES)
            throw new OciError('too-large', `global tar headers of more than ${MAX_META_BYTES} bytes are refused`);
          globalPax = new Map([...globalPax, ...parsePax(meta)]);
        } else if (flag === 'L') longPath = text(meta);
        else longTarget = text(meta);
        continue;
      }
      const record = (name: string) => pax.get(name) ?? globalPax.get(name);
      const string = (name: string) => record(name)?.toString('utf8');
      const number = (name: string, fallback: number) => {
        const value = string(name);
        if (value === undefined) return fallback;
        const parsed = Number(value);
        if (!Number.isFinite(parsed)) throw new OciError('invalid', `the layer has a malformed pax ${name} ${JSON.stringify(value.slice(0, 50))}`);
        return parsed;
      };
      const prefix = block.toString('latin1', 257, 262) === 'ustar' && block[263] === 0x30 ? text(block.subarray(345, 500)) : '';
      const name = text(block.subarray(0, 100));
      const size = number('size', blockSize);
      if (!Number.isSafeInteger(size) || size < 0) throw new OciError('invalid', 'the layer has an entry of impossible size');
      if ([...pax.keys()].some((k) => k.startsWith('GNU.sparse.')) || flag === 'S')
        throw new OciError('unsupported', 'sparse files in layers are not supported');
      const type = TYPES[flag] ?? 'other';
      const header: TarHeader = {
        path: string('path') ?? longPath ?? (prefix === '' ? name : `${prefix}/${name}`),
        // Before POSIX, a folder was a file with a slash at the end.
        type: type === 'file' && (string('path') ?? longPath ?? name).endsWith('/') ? 'directory' : type,
        target: string('linkpath') ?? longTarget ?? text(block.subarray(157, 257)),
        mode: numeric(block, 100, 8) & 0o7777,
        uid: number('uid', numeric(block, 108, 8)),
        gid: number('gid', numeric(block, 116, 8)),
        size: type === 'file' || type === 'other' ? size : 0,
        mtime: number('mtime', numeric(block, 136, 12)),
        major: numeric(block, 329, 8),
        minor: numeric(block, 337, 8),
        xattrs: new Map([...pax].filter(([k]) => k.startsWith('SCHILY.xattr.')).map(([k, v]) => [k.slice(13), v])),
      };
      pax = new Map();
      longPath = undefined;
      longTarget = undefined;
      let unread = header.size;
      await visit(header, {
        async *[Symbol.asyncIterator]() {
          while (unread > 0) {
            const part = await reader.some(Math.min(unread, 1 << 20));
            if (!part) throw new OciError('invalid', 'the layer is cut off in the middle of a file');
            unread -= part.length;
            yield part;
          }
        },
      });
      await reader.skip(unread + padding(header.size));
    }
  } finally {
    await reader.close();
  }
}

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or GNU's base 256 when the first bit is set. */
function numeric(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (((field[0] as number) & 0x80) !== 0) {
    let value = (field[0] as number) & 0x3f;
    if (((field[0] as number) & 0x40) !== 0) return -1;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const digits = text(field).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** The checksum counts its own field as spaces. */
function checkSum(block: Buffer): void {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] as number;
  if (sum !== numeric(block, 148, 8)) throw new OciError('invalid', 'the layer is not a tar archive: a header has the wrong checksum');
}

/** Records `"<length> <key>=<value>\n"`; values are bytes. */
function parsePax(bytes: Buffer): Map<string, Buffer> {
  const out = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    const equals = bytes.indexOf(0x3d, space);
    if (!Number.isInteger(length) || length <= 0 || at + length > bytes.length || equals < 0 || equals >= at + length)
      throw new OciError('invalid', 'the layer has a malformed pax header');
    out.set(bytes.toString('utf8', space + 1, equals), Buffer.from(bytes.subarray(equals + 1, at + length - 1)));
    at += length;
  }
  return out;
}
