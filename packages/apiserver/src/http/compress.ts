import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const MIN_BYTES = 128 * 1024;
const gzipAsync = promisify(gzip);

/** Off the main thread, at upstream's level. */
export function worthCompressing(length: number, acceptEncoding: string | string[] | undefined): boolean {
  return length >= MIN_BYTES && typeof acceptEncoding === 'string' && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(acceptEncoding);
}

export function compress(body: Buffer): Promise<Buffer> {
  return gzipAsync(body, { level: constants.Z_BEST_SPEED });
}
