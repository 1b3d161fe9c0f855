import type { WatchFraming } from '../storage/watch-groups.js';

const CRLF = Buffer.from('\r\n');

/** HTTP/1.1 chunks, made once for all connections that get the same bytes. */
export const chunkedFraming: WatchFraming = {
  id: 'chunked',
  frame(frames) {
    const parts = frames as readonly Buffer[];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...parts, CRLF]);
  },
};
