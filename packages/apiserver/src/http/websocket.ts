import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Frame, WatchFraming } from '../storage/watch-groups.js';

/** RFC 6455, as much of it as a stream of events needs: we send messages, the client only closes and pings. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FINAL = 0x80;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** Control frames are no longer than this; a client that sends more than a few of them at once is not one of ours. */
const MAX_PENDING = 64 * 1024;

function message(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.from([FINAL | opcode, length]) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = FINAL | opcode;
  if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else if (head.length === 10) {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

export const binaryMessage = (payload: Uint8Array): Buffer => message(BINARY, payload);
export const textMessage = (text: string): Buffer => message(TEXT, Buffer.from(text));

/** One message per event. */
export const textMessages: WatchFraming = {
  id: 'websocket',
  frame: (frames: readonly Frame[]) => Buffer.concat(frames.map((frame) => message(TEXT, frame as Buffer))),
};

/** The same for protobuf, whose frames need no length of their own here. */
export const binaryMessages: WatchFraming = {
  id: 'websocket-binary',
  frame: (frames: readonly Frame[]) => Buffer.concat(frames.map((frame) => message(BINARY, (frame as Buffer).subarray(4)))),
};

export function isWebSocket(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return String(headers.upgrade ?? '').toLowerCase() === 'websocket' && typeof headers['sec-websocket-key'] === 'string';
}

/** Accept the connection, in one of the subprotocols the client offers, and answer what the client sends until it closes. */
export function acceptWebSocket(headers: Readonly<Record<string, string | string[] | undefined>>, socket: Duplex, protocol?: string): void {
  const accept = createHash('sha1')
    .update(`${String(headers['sec-websocket-key'])}${KEY_SUFFIX}`)
    .digest('base64');
  const chosen = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`);
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length > MAX_PENDING) socket.destroy();
    for (;;) {
      const frame = clientFrame(pending);
      if (!frame) return;
      pending = pending.subarray(frame.size);
      if (frame.opcode === PING) socket.write(message(PONG, frame.payload));
      if (frame.opcode === CLOSE) {
        socket.end(message(CLOSE, frame.payload.subarray(0, 2)));
        return;
      }
    }
  });
}

/** A close message with the code for a regular end. */
export const goodbye = message(CLOSE, Buffer.from([0x03, 0xe8]));

function clientFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 6) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + 4;
  if (bytes.length < start) return undefined;
  const length = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (mask[i % 4] as number);
  return { opcode: (bytes[0] as number) & 0x0f, payload, size: start + length };
}
