import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { freePort } from '@coxswain/sdk-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpProbeOptions, httpProbe } from './http-probe.js';

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, options: Partial<HttpProbeOptions> = {}) =>
  httpProbe({ host: '127.0.0.1', port, userAgent: 'kube-probe/1.36', timeoutMs: 10_000, ...options });

/** `/301?to=URL` answers that status and place, `/200` that status. */
const answering: RequestListener = ({ url = '/' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://probe');
  const to = searchParams.get('to');
  response.writeHead(Number(pathname.slice(1)), to ? { location: to } : {}).end('text of the answer');
};

describe('httpProbe', () => {
  it.each([
    ['/200', 'success', ''],
    ['404', 'failure', 'HTTP probe failed with statuscode: 404'],
    ['/302?to=/200', 'success', ''],
    ['/302?to=/500', 'failure', 'HTTP probe failed with statuscode: 500'],
    ['/302?to=http%3A%2F%2F127.0.0.2%2F', 'warning', 'Probe terminated redirects, Response body: text of the answer'],
    ['/304', 'warning', 'Probe terminated redirects, Response body: '],
    ['/302?to=/302%3Fto%3D/200', 'success', ''],
  ])('%s: %s', async (path, outcome, message) => expect(await ask(await serve(answering), { path })).toEqual({ outcome, message }));

  it('takes answers whose lines end in a line feed alone', async () => {
    const server = createServer((socket) => void socket.once('data', () => socket.end('HTTP/1.0 503 Busy\nX-A: b\n\nwait'))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await ask((server.address() as AddressInfo).port)).toEqual({ outcome: 'failure', message: 'HTTP probe failed with statuscode: 503' });
    server.close();
  });
  it('gives up on a circle', async () => {
    const port = await serve((_request, response) => void response.writeHead(302, { location: '/' }).end());
    expect(await ask(port)).toEqual({ outcome: 'failure', message: `Get "http://127.0.0.1:${port}/": stopped after 10 redirects` });
  });

  it('says what Go says', async () => {
    const nobody = await freePort();
    expect((await ask(nobody, { path: '/x' })).message).toBe(`Get "http://127.0.0.1:${nobody}/x": dial tcp 127.0.0.1:${nobody}: connect: connection refused`);
    const silent = await serve(() => {});
    expect((await ask(silent, { timeoutMs: 20 })).message).toBe(
      `Get "http://127.0.0.1:${silent}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    );
    const plain = await serve(answering);
    expect(await ask(plain, { scheme: 'HTTPS', path: '/200' })).toEqual({
      outcome: 'failure',
      message: `Get "https://127.0.0.1:${plain}/200": http: server gave HTTP response to HTTPS client`,
      plainHttp: true,
    });
  });

  it('sends the headers it is given, some more than once, over its own', async () => {
    let seen: string[] = [];
    const port = await serve((request, response) => {
      seen = request.rawHeaders;
      response.end();
    });
    const httpHeaders = [
      { name: 'X-A', value: '1' },
      { name: 'x-a', value: '2' },
      { name: 'Host', value: 'web.example' },
      { name: 'Accept', value: '' },
      { name: 'User-Agent', value: 'me' },
    ];
    await ask(port, { httpHeaders });
    const pairs = seen.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), seen[i + 1]] as const] : []));
    const of = (name: string) => pairs.filter(([key]) => key === name).map(([, value]) => value);
    expect([of('x-a'), of('host'), of('accept'), of('user-agent')]).toEqual([['1', '2'], ['web.example'], [], ['me']]);
  });
});
