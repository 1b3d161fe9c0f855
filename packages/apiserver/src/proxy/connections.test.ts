import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../request/api-request.js';
import type { RawExchange } from '../request/raw-exchange.js';
import { servingCertificate } from '../testing/test-certificates.js';
import type { Backend } from './backend.js';
import { BackendConnections } from './connections.js';
import { passThrough } from './pass-through.js';

/** A backend that answers with the number of the connection a request came on; `cut` ends that connection instead of answering. */
async function start(cut: (request: { connection: number; nth: number; method: string }) => boolean = () => false) {
  const { ca, cert, key } = await servingCertificate('a.b.svc');
  const seen = new Map<Socket, { number: number; asked: number }>();
  const bodies: string[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const of = seen.get(request.socket) as { number: number; asked: number };
    const nth = ++of.asked;
    if (cut({ connection: of.number, nth, method: request.method ?? '' })) return void request.socket.destroy();
    bodies.push(await text(request));
    response.end(String(of.number));
  });
  server.on('secureConnection', (socket: Socket) => seen.set(socket, { number: seen.size + 1, asked: 0 }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connections = new BackendConnections();
  const backend: Backend = { scheme: 'https', host: '127.0.0.1', port, path: '/', tls: { servername: 'a.b.svc', ca }, connections };
  return {
    backend,
    connections,
    bodies,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The whole answer, and the turn in which its connection is given back. */
async function call(backend: Backend, method = 'GET', body = ''): Promise<string> {
  const out = new PassThrough();
  const request = {
    method,
    signal: new AbortController().signal,
    raw: {
      headers: body === '' ? {} : { 'content-length': String(body.length) },
      input: Readable.from(body === '' ? [] : [body]),
      head: Buffer.alloc(0),
      upgrade: undefined,
      respond: () => out,
    } satisfies RawExchange,
  } as unknown as ApiRequest;
  await passThrough(request, backend);
  const answer = await text(out);
  await new Promise((resolve) => setImmediate(resolve));
  return answer;
}

describe('connections to a backend', () => {
  it('serve one request after the other', async () => {
    await using remote = await start();
    for (let i = 0; i < 5; i++) expect(await call(remote.backend)).toBe('1');
    remote.connections.dropIdle();
    expect(await call(remote.backend)).toBe('2');
  });

  it('are made anew for what changes something: nobody could say whether it was carried out', async () => {
    await using remote = await start(({ nth }) => nth > 1);
    expect(await call(remote.backend)).toBe('1');
    expect(await call(remote.backend, 'POST', 'first')).toBe('2');
    expect(await call(remote.backend, 'DELETE')).toBe('3');
    expect(remote.bodies).toEqual(['', 'first', '']);
  });

  it('that the backend has closed meanwhile are not what a reader hears of', async () => {
    await using remote = await start(({ nth }) => nth > 1);
    expect(await call(remote.backend)).toBe('1');
    expect(await call(remote.backend)).toBe('2');
  });

  it('that are new and closed without an answer are an error, once', async () => {
    let asked = 0;
    await using remote = await start(() => ++asked > 0);
    await expect(call(remote.backend)).rejects.toThrow('error trying to reach service');
    expect(asked).toBe(1);
  });

  it('are of whoever was trusted when they were made', async () => {
    await using remote = await start();
    expect(await call(remote.backend)).toBe('1');
    const other = await servingCertificate('a.b.svc');
    await expect(call({ ...remote.backend, tls: { servername: 'a.b.svc', ca: other.ca } })).rejects.toThrow('error trying to reach service');
    expect(await call(remote.backend)).toBe('1');
  });
});
