import { hasherFor } from './digest.js';
import { OciError } from './error.js';
import type { Descriptor } from './image-types.js';

/** Pass bytes through, failing as soon as they exceed the descriptor's size and, at the end, when size or digest differ. */
export async function* verified(source: AsyncIterable<Uint8Array>, want: Pick<Descriptor, 'digest' | 'size'>): AsyncGenerator<Uint8Array> {
  const hash = hasherFor(want.digest);
  let seen = 0;
  for await (const chunk of source) {
    seen += chunk.length;
    if (seen > want.size) throw new OciError('size-mismatch', `${want.digest} is larger than the ${want.size} bytes its manifest says`);
    hash.update(chunk);
    yield chunk;
  }
  if (seen !== want.size) throw new OciError('size-mismatch', `${want.digest} has ${seen} bytes; its manifest says ${want.size}`);
  const got = `${want.digest.split(':')[0]}:${hash.digest('hex')}`;
  if (got !== want.digest) throw new OciError('digest-mismatch', `content of ${want.digest} has digest ${got}`);
}

/** All bytes, or `too-large` once there are more than `limit`. */
export async function readLimited(source: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw new OciError('too-large', `${what} is larger than the limit of ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
