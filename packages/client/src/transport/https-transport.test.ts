import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpsTransport } from './https-transport.js';
import { staticToken } from './token-source.js';
import { TransportError } from './transport.js';

// A self-signed certificate for localhost and 127.0.0.1, valid for a hundred years.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYmWbET4BbDuj0JG0
6ea+B1FaUu9iyvKuRu0StXbyniChRANCAARY/vSz6sIjru89D5OrBmRedMHEaIr9
Eabuejpc1cQtTip0d+djCdVfxH6oMc/Hjim4TaPIRUbZLROxK8KztVBP
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUXwEvFZXvnLWTqkVElcbR2WJDP3wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA2MTEwNloYDzIxMjYxMDMw
MDYxMTA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARY/vSz6sIjru89D5OrBmRedMHEaIr9Eabuejpc1cQtTip0d+djCdVf
xH6oMc/Hjim4TaPIRUbZLROxK8KztVBPo28wbTAdBgNVHQ4EFgQUvudq7SuPbiKv
R3vwnAN3xOJCXA8wHwYDVR0jBBgwFoAUvudq7SuPbiKvR3vwnAN3xOJCXA8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgLsh4mzTqIEPrp00OCHd8gJZlC7glz4HarsUN5DCReOECIQDG
QJHbuET/8A18ohGIwJBYzB6qaBMv0lFyYGA+GXI64Q==
-----END CERTIFICATE-----`;

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn();
});

type Handler = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => void;

async function serve(protocol: 'h2' | 'http/1.1', handler: Handler) {
  const server = protocol === 'h2' ? http2.createSecureServer({ key, cert, allowHTTP1: true }, handler) : https.createServer({ key, cert }, handler as never);
  const sockets: Socket[] = [];
  server.on('secureConnection', (socket: Socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = new HttpsTransport({ server: `https://127.0.0.1:${port}`, ca: cert, token: staticToken('t0k') });
  undo.push(
    () => new Promise<void>((resolve) => void server.close(() => resolve())),
    () => transport.close(),
  );
  return { server, transport, port, sockets };
}

describe.each(['h2', 'http/1.1'] as const)('HttpsTransport over %s', (protocol) => {
  it('sends method, path, query, headers, body and token; gives back status, headers and body', async () => {
    const { transport } = await serve(protocol, (req, res) => {
      let body = '';
      req.on('data', (d: Buffer) => (body += d.toString()));
      req.on('end', () => {
        res.setHeader('content-type', 'application/json');
        res.statusCode = 201;
        res.end(JSON.stringify({ method: req.method, url: req.url, auth: req.headers.authorization, x: req.headers['x-a'], body, version: req.httpVersion }));
      });
    });
    const response = await transport.request({ method: 'POST', path: '/api/v1/pods', query: 'a=1', headers: { 'x-a': 'b' }, body: 'häh' });
    expect(response.status).toBe(201);
    expect(response.headers['content-type']).toBe('application/json');
    expect(JSON.parse(Buffer.from(response.body).toString())).toEqual({
      method: 'POST',
      url: '/api/v1/pods?a=1',
      auth: 'Bearer t0k',
      x: 'b',
      body: 'häh',
      version: protocol === 'h2' ? '2.0' : '1.1',
    });
  });

  it('streams chunks as they come and ends the stream when the signal aborts', async () => {
    let closed: () => void = () => {};
    const closedByClient = new Promise<void>((resolve) => (closed = resolve));
    const { transport } = await serve(protocol, (_req, res) => {
      res.write('one\n');
      res.on('close', () => closed());
    });
    const abort = new AbortController();
    const stream = await transport.stream({ method: 'GET', path: '/', headers: {}, signal: abort.signal });
    const seen: string[] = [];
    for await (const chunk of stream.chunks) {
      seen.push(Buffer.from(chunk).toString());
      abort.abort();
    }
    expect(seen).toEqual(['one\n']);
    await closedByClient;
  });

  it('rejects with the reason when aborted before the answer', async () => {
    const { transport } = await serve(protocol, () => {});
    const abort = new AbortController();
    const pending = transport.request({ method: 'GET', path: '/', headers: {}, signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(pending).rejects.toThrow('enough');
  });

  it('fails with a TransportError when the server breaks off, and connects again afterwards', async () => {
    let first = true;
    const { transport } = await serve(protocol, (req, res) => {
      if (first) {
        first = false;
        req.socket.destroy();
      } else res.end('ok');
    });
    const failed = await transport.request({ method: 'GET', path: '/x', headers: {} }).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(TransportError);
    expect((failed as TransportError).sent).toBe(true);
    expect(Buffer.from((await transport.request({ method: 'GET', path: '/x', headers: {} })).body).toString()).toBe('ok');
  });
});

describe('HttpsTransport', () => {
  it.each(['h2', 'http/1.1'] as const)('fails a stream the server breaks off, over %s', async (protocol) => {
    const { transport, sockets } = await serve(protocol, (_req, res) => void res.write('one\n'));
    const stream = await transport.stream({ method: 'GET', path: '/', headers: {} });
    const read = async () => {
      for await (const _ of stream.chunks) for (const socket of sockets) socket.destroy();
    };
    await expect(read()).rejects.toBeInstanceOf(TransportError);
  });

  it('does not wait for a connection longer than its caller', async () => {
    // Accepts and never speaks TLS.
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const transport = new HttpsTransport({ server: `https://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const sockets: net.Socket[] = [];
    const accepted = new Promise<void>((resolve) =>
      silent.on('connection', (s) => {
        sockets.push(s);
        resolve();
      }),
    );
    const abort = new AbortController();
    const pending = transport.request({ method: 'GET', path: '/', headers: {}, signal: abort.signal });
    await accepted;
    abort.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    for (const s of sockets) s.destroy();
    await transport.close();
    silent.close();
  });

  it('shares one connection among parallel requests over h2', async () => {
    const { transport, sockets } = await serve('h2', (_req, res) => void res.end('x'));
    await Promise.all(Array.from({ length: 50 }, () => transport.request({ method: 'GET', path: '/', headers: {} })));
    expect(sockets).toHaveLength(1);
  });

  it('says that nothing was sent when the connection is refused', async () => {
    const { transport, server } = await serve('h2', () => {});
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    const error = await transport.request({ method: 'POST', path: '/', headers: {} }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'TransportError', sent: false });
    expect((error as Error).message).toContain('ECONNREFUSED');
  });

  it('refuses a certificate it cannot check', async () => {
    const { port } = await serve('h2', () => {});
    const strict = new HttpsTransport({ server: `https://127.0.0.1:${port}` });
    undo.push(() => strict.close());
    await expect(strict.request({ method: 'GET', path: '/', headers: {} })).rejects.toThrow(/self-signed/);
  });

  it('upgrades over HTTP/1.1, and returns the answer when the server does not', async () => {
    const { transport, server } = await serve('h2', (_req, res) => {
      res.statusCode = 403;
      res.end('no');
    });
    expect(await transport.upgrade({ method: 'GET', path: '/deny', headers: {} })).toMatchObject({ status: 403, body: Buffer.from('no') });
    server.on('upgrade', (req, socket) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${req.headers.upgrade}\r\n\r\n`);
      socket.pipe(socket);
    });
    const up = await transport.upgrade({ method: 'POST', path: '/exec', headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } });
    expect(up).toMatchObject({ status: 101, headers: { upgrade: 'SPDY/3.1' } });
    const socket = up.socket!;
    const echoed = new Promise((resolve) => socket.once('data', (d: Buffer) => resolve(d.toString())));
    socket.write('ping');
    expect(await echoed).toBe('ping');
    socket.destroy();
  });
});
