import type { Readable } from 'node:stream';
import { ApiError } from '@coxswain/apimachinery';

export const MAX_BODY_BYTES = 3 * 1024 * 1024;

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
    stream.on('end', () => resolve(rest ? Buffer.concat(rest, length) : (first ?? Buffer.alloc(0))));
    stream.on('error', reject);
    stream.on('close', () => reject(ApiError.badRequest('the client closed the connection before the end of the body')));
  });
}

function tooLarge(): ApiError {
  return ApiError.requestEntityTooLarge(`limit is ${MAX_BODY_BYTES}`);
}
