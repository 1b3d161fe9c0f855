import { createInflate, type Inflate } from 'node:zlib';
import { SPDY_DICTIONARY } from './dictionary.js';

/** Header names are lower case; several values of one name are joined by NUL on the wire. */
export type SpdyHeaders = Readonly<Record<string, string>>;

/** A header block before compression: SPDY/3 section 2.6.10. */
export function encodeHeaderBlock(headers: SpdyHeaders): Buffer {
  const parts: Buffer[] = [];
  const uint = (n: number) => {
    const b = Buffer.alloc(4);
    b.writeUInt32BE(n);
    parts.push(b);
  };
  const entries = Object.entries(headers);
  uint(entries.length);
  for (const text of entries.flatMap(([name, value]) => [name.toLowerCase(), value])) {
    const bytes = Buffer.from(text, 'utf8');
    uint(bytes.length);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

export function decodeHeaderBlock(block: Buffer): SpdyHeaders {
  let at = 0;
  const uint = () => {
    if (at + 4 > block.length) throw new Error('SPDY header block is cut short');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = uint();
    if (at + length > block.length) throw new Error('SPDY header block is cut short');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const out: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let pairs = uint(); pairs > 0; pairs--) {
    const name = text().toLowerCase();
    out[name] = text();
  }
  return out;
}

/**
 * Writes header blocks as one endless zlib stream of stored blocks: no state beyond "has the zlib header been sent", so it is synchronous.
 * Each block ends with an empty stored block (a sync flush), without which Go's reader would wait for more input.
 */
export class HeaderCompressor {
  #started = false;

  compress(headers: SpdyHeaders): Buffer {
    const block = encodeHeaderBlock(headers);
    if (block.length > 0xffff) throw new Error('SPDY headers are larger than 64 KiB');
    const parts: Buffer[] = [];
    if (!this.#started) parts.push(Buffer.from([0x78, 0x01]));
    this.#started = true;
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(block.length, 1);
    stored.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(stored, block, Buffer.from([0, 0, 0, 0xff, 0xff]));
    return Buffer.concat(parts);
  }
}

/** Reads the peer's header blocks; they share one zlib context, so blocks must be given in order, one at a time. */
export class HeaderDecompressor {
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY });
  #out: Buffer[] = [];
  #fail: ((error: Error) => void) | undefined;

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => this.#out.push(chunk));
    this.#inflate.on('error', (error) => this.#fail?.(error));
  }

  async decompress(block: Buffer): Promise<SpdyHeaders> {
    this.#out = [];
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      this.#inflate.write(block, () => resolve());
    });
    // `data` for the last output chunk is emitted before the write callback.
    return decodeHeaderBlock(Buffer.concat(this.#out));
  }

  close(): void {
    this.#inflate.destroy();
  }
}
