import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endWhenIdle } from './idle-sessions.js';

const IDLE_MS = 100;
let server: Http2Server;
let sessions: Set<ServerHttp2Session>;
beforeEach(async () => {
  sessions = new Set();
  server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
    endWhenIdle(session, systemClock, IDLE_MS, IDLE_MS);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    stream.respond();
    if (headers[':path'] !== '/watch') stream.end('done');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());
const port = () => (server.address() as AddressInfo).port;
const ask = (client: ClientHttp2Session, path: string) => once(client.request({ ':path': path }).resume(), 'response');

const frame = (type: number, flags: number, stream: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
};
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

test.each([
  ['headers that cannot be decoded', frame(1, 4, 1, randomBytes(50))],
  ['settings of an impossible length', frame(4, 0, 0, randomBytes(7))],
])('a connection whose client sent %s and went away ends', async (_, bytes) => {
  const socket = connect(port(), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0)), bytes]));
  await expect.poll(() => sessions.size).toBe(1);
  socket.destroy();
  await expect.poll(() => sessions.size, { timeout: 3000 }).toBe(0);
});

test('a connection without requests ends, one with an open watch that answers goes on', async () => {
  const [idle, watching] = [connectHttp2(`http://127.0.0.1:${port()}`), connectHttp2(`http://127.0.0.1:${port()}`)];
  try {
    await ask(idle, '/');
    await ask(watching, '/watch');
    await expect.poll(() => idle.closed, { timeout: 3000 }).toBe(true);
    await sleep(IDLE_MS * 5);
    expect(watching.closed).toBe(false);
    await ask(watching, '/');
    await expect.poll(() => sessions.size).toBe(1);
  } finally {
    watching.destroy();
    idle.destroy();
  }
});
