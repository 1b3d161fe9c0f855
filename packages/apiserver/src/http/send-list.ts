import type { Writable } from 'node:stream';
import type { ListBody } from '../request/list-body.js';

/** So much is copied, encrypted and handed to the kernel at a time: it stays in the processor's cache on its way. */
const PIECE_BYTES = 256 * 1024;
const MAX_IDLE = 4;
const idle: Buffer[] = [];

/** Write a list piece by piece, each once the one before has left, and end the stream. Head and length have been announced. */
export function sendList(stream: Writable, body: ListBody): void {
  const piece = idle.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  let left = body.length;
  const done = () => {
    if (idle.length < MAX_IDLE) idle.push(piece);
  };
  const next = (error?: Error | null) => {
    if (error || stream.destroyed || left === 0) {
      if (left === 0 && !error) stream.end();
      done();
      return;
    }
    const read = body.read(piece);
    left -= read;
    stream.write(piece.subarray(0, read), next);
  };
  next();
}
