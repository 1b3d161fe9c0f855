import { pipeline, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { OciError } from './error.js';

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Uncompressed bytes of a layer, whatever its media type says: gzip and zstd are known by their first bytes. zstd needs Node 22.15. */
export async function decompressed(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  const whole = (async function* () {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  })();
  const head = first.done ? Buffer.alloc(0) : Buffer.from(first.value.subarray(0, 4));
  if (head[0] === 0x1f && head[1] === 0x8b) return through(whole, zlib.createGunzip({ chunkSize: 128 * 1024 }));
  if (head.equals(ZSTD_MAGIC)) {
    const { createZstdDecompress } = zlib as { createZstdDecompress?: () => zlib.Gunzip };
    if (!createZstdDecompress) throw new OciError('unsupported', `zstd layers need Node 22.15 or newer; this is ${process.version}`);
    return through(whole, createZstdDecompress());
  }
  return whole;
}

/** A failure of the source wins over what the decompressor makes of the missing end. */
async function* through(source: AsyncIterable<Uint8Array>, transform: zlib.Gunzip): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  const guarded = (async function* () {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  })();
  pipeline(Readable.from(guarded, { objectMode: false }), transform, () => {});
  try {
    for await (const chunk of transform) yield chunk as Buffer;
  } catch (error) {
    if (failure) throw failure;
    throw new OciError('invalid', `the layer's compression is broken: ${(error as Error).message}`, { cause: error });
  }
}
