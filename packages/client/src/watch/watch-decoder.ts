import { ApiError, isStatus } from '@coxswain/apimachinery';
import type { WatchEvent } from './watch-event.js';

const NEWLINE = 10;

/**
 * Newline-delimited JSON from buffers, a batch per chunk. Only complete lines are decoded; a line that spans chunks is joined once.
 * Newlines cannot occur inside of JSON text, so no scanning of the content is needed.
 */
export async function* decodeWatch<T>(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly WatchEvent<T>[]> {
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const last = buffer.lastIndexOf(NEWLINE);
    if (last === -1) {
      pending.push(buffer);
      continue;
    }
    const head = buffer.subarray(0, last);
    const text = pending.length === 0 ? head.toString('utf8') : Buffer.concat([...pending, head]).toString('utf8');
    pending = last + 1 < buffer.length ? [buffer.subarray(last + 1)] : [];
    const batch = parseLines<T>(text);
    if (batch.length > 0) yield batch;
  }
}

function parseLines<T>(text: string): WatchEvent<T>[] {
  const batch: WatchEvent<T>[] = [];
  let from = 0;
  while (from < text.length) {
    let to = text.indexOf('\n', from);
    if (to === -1) to = text.length;
    if (to > from) batch.push(JSON.parse(from === 0 && to === text.length ? text : text.slice(from, to)) as WatchEvent<T>);
    from = to + 1;
  }
  return batch;
}

/** Throws the error an ERROR event carries. */
export function checkWatchEvent(event: WatchEvent<unknown>): void {
  if (event.type !== 'ERROR') return;
  if (isStatus(event.object)) throw new ApiError(event.object);
  throw ApiError.internalError(`watch: unexpected error object ${JSON.stringify(event.object)}`);
}
