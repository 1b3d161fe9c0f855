import type { WatchFraming } from '../storage/watch-groups.js';

const CRLF = Buffer.from('\r\n');

/** HTTP/1.1 chunks, made once for all connections that get the same bytes. */
export const chunkedFraming: WatchFraming = {
  id: 'chunked',
  frame: (payload) => Buffer.concat([Buffer.from(`${payload.length.toString(16)}\r\n`), payload, CRLF]),
};
