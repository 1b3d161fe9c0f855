import * as zlib from 'node:zlib';

/** CRC-32 of `bytes`. Node's own since 20.15 (the types come later). */
export const crc32: (bytes: Uint8Array) => number = (zlib as { crc32(bytes: Uint8Array): number }).crc32;
