import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ApiRequest } from '../request/api-request.js';
import type { RawExchange } from '../request/raw-exchange.js';
import type { Backend } from './backend.js';
import { type PassOptions, passThrough } from './pass-through.js';

const server = createServer(({ url }, response) => {
  if (url === '/moved') response.writeHead(302, { location: 'https://elsewhere.example' }).end();
  else response.setHeader('x-of', 'backend').end('the answer');
});
let backend: Backend;
beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  backend = { scheme: 'http', host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/' };
});
afterEach(() => void server.close());

const request = (respond: RawExchange['respond']): ApiRequest =>
  ({
    method: 'GET',
    signal: new AbortController().signal,
    raw: { headers: {}, input: Readable.from([]), head: Buffer.alloc(0), upgrade: undefined, respond } satisfies RawExchange,
  }) as ApiRequest;

it('passes on head and body', async () => {
  const out = new PassThrough();
  let head: IncomingHttpHeaders = {};
  const answer = await passThrough(
    request((_, headers) => {
      head = headers as IncomingHttpHeaders;
      return out;
    }),
    backend,
  );
  expect(answer).toEqual({ type: 'handled', status: 200 });
  expect(head['x-of']).toBe('backend');
  expect(await text(out)).toBe('the answer');
});

it('a head that cannot be sent, as when the caller is gone, fails the request and nothing else', async () => {
  const gone = () => {
    throw new Error('The stream has been destroyed');
  };
  await expect(passThrough(request(gone), backend)).rejects.toThrow('The stream has been destroyed');
});

it('redirects are passed on, unless the backend may not send anybody elsewhere', async () => {
  const moved = (options?: PassOptions) =>
    passThrough(
      request(() => new PassThrough()),
      { ...backend, path: '/moved' },
      options,
    );
  expect(await moved()).toEqual({ type: 'handled', status: 302 });
  expect(await moved({ refuseRedirects: true })).toMatchObject({ type: 'bytes', status: 502 });
});
