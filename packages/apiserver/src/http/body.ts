import type { Readable } from 'node:stream';
import { ApiError } from '@coxswain/apimachinery';

export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** The whole body; 413 over the limit (the rest is left unread). */
export function readBody(stream: Readable, declaredLength: number | undefined): Promise<Buffer> {
  if (declaredLength !== undefined && declaredLength > MAX_BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        stream.removeAllListeners('data');
        stream.pause();
        reject(tooLarge());
        return;
      }
      if (!first) first = chunk;
      else if (rest) rest.push(chunk);
      else rest = [first, chunk];
    });
    let ended = false;
    stream.on('end', () => {
      ended = true;
      resolve(rest ? Buffer.concat(rest, length) : (first ?? NO_BYTES));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      // Making an error costs more than all the rest here: only when there is one.
      if (!ended) reject(ApiError.badRequest('the client closed the connection before the end of the body'));
    });
  });
}

function tooLarge(): ApiError {
  return ApiError.requestEntityTooLarge(`limit is ${MAX_BODY_BYTES}`);
}
