import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer } from './testing/start-test-server.js';
import type { TestServer } from './testing/start-test-server.js';
import { servingCertificate } from './testing/test-certificates.js';

const NS = '/api/v1/namespaces/default';
let api: TestServer;
let kubelet: Server;
const asked: string[] = [];

beforeAll(async () => {
  api = await startTestServer();
  kubelet = createServer(await servingCertificate('n1'), (request, response) => {
    asked.push(request.url ?? '');
    if (request.headers.authorization) response.writeHead(500);
    if (request.url?.includes('previous=true')) return void response.writeHead(400).end('previous terminated container "a" not found\n');
    response.write('line 1\n');
    setImmediate(() => response.end('line 2\n'));
  });
  kubelet.on('upgrade', (request, socket, head) => {
    asked.push(request.url ?? '');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  const { port } = kubelet.address() as AddressInfo;
  await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  await api.call('PATCH', '/api/v1/nodes/n1/status', { status }, { type: 'application/merge-patch+json' });
  await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  for (const [name, nodeName] of [
    ['placed', 'n1'],
    ['waiting', undefined],
  ]) {
    await api.call('POST', `${NS}/pods`, {
      metadata: { name },
      spec: {
        ...(nodeName ? { nodeName } : {}),
        containers: [
          { name: 'a', image: 'i' },
          { name: 'b', image: 'i' },
        ],
      },
    });
  }
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await new Promise((resolve) => kubelet.close(resolve));
});

it('passes logs through, without the credentials of the caller', async () => {
  const answer = await api.call('GET', `${NS}/pods/placed/log?container=a&tailLines=5&follow=true`);
  expect([answer.status, answer.text]).toEqual([200, 'line 1\nline 2\n']);
  expect(asked.at(-1)).toBe('/containerLogs/default/placed/a?follow=true&tailLines=5');
});

it("makes a Status of the kubelet's refusal", async () => {
  const answer = await api.call('GET', `${NS}/pods/placed/log?container=a&previous=true`);
  expect(answer.json).toMatchObject({ kind: 'Status', code: 400, reason: 'BadRequest', message: 'previous terminated container "a" not found' });
});

it('says what is wrong with a request for logs', async () => {
  expect((await api.call('GET', `${NS}/pods/placed/log`)).json.message).toBe('a container name must be specified for pod placed, choose one of: [a b]');
  expect((await api.call('GET', `${NS}/pods/placed/log?container=x`)).json).toMatchObject({ code: 400, message: 'container x is not valid for pod placed' });
  expect((await api.call('GET', `${NS}/pods/placed/log?container=a&tailLines=-1`)).status).toBe(422);
  for (const [query, code, message] of [
    ['tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['sinceTime=noon', 400, 'parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"'],
    ['stream=Both', 422, 'PodLogOptions "placed" is invalid: stream: Unsupported value: "Both": supported values: "All", "Stderr", "Stdout"'],
  ] as const)
    expect((await api.call('GET', `${NS}/pods/placed/log?container=a&${query}`)).json, query).toMatchObject({ code, message });
  expect((await api.call('GET', `${NS}/pods/waiting/log?container=a`)).status).toBe(204);
  expect((await api.call('GET', `${NS}/pods/nothing/log`)).status).toBe(404);
});

it('proxies to the kubelet by node name', async () => {
  expect((await api.call('GET', '/api/v1/nodes/n1/proxy/stats/summary?a=b')).status).toBe(200);
  expect(asked.at(-1)).toBe('/stats/summary?a=b');
});

it('tunnels exec both ways, each direction closing by itself', async () => {
  const received = await upgrade(`${NS}/pods/placed/exec?container=b&command=sh&command=-c&stdin=1&stdout=1&tty=1`, 'admin', 'hello kubelet');
  expect(received).toMatch(/^HTTP\/1\.1 101 /);
  expect(received.endsWith('hello kubelet')).toBe(true);
  expect(asked.at(-1)).toBe('/exec/default/placed/b?input=1&output=1&tty=1&command=sh&command=-c');
});

it('sends logs as the messages of a WebSocket, in the encoding that the client can read', async () => {
  const read = (query: string, protocol: string) =>
    upgrade(`${NS}/pods/placed/log?container=a${query}`, 'admin', '', `Upgrade: websocket\r\nSec-WebSocket-Key: eA==${protocol}`);
  const plain = await read('&follow=true', '');
  expect(plain).toMatch(/^HTTP\/1\.1 101 /);
  expect(plain).not.toContain('Sec-WebSocket-Protocol');
  expect(plain).toContain('line 1\n');
  expect(asked.at(-1)).toBe('/containerLogs/default/placed/a?follow=true');
  const base64 = await read('', '\r\nSec-WebSocket-Protocol: other, base64.binary.k8s.io');
  expect(base64).toContain('Sec-WebSocket-Protocol: base64.binary.k8s.io\r\n');
  expect(base64).toContain(Buffer.from('line 1\n').toString('base64'));
  expect(await read('&previous=true', '')).toMatch(/^HTTP\/1\.1 400 [\s\S]*previous terminated container/);
});

it('refuses an upgrade before it reaches the kubelet', async () => {
  const before = asked.length;
  expect(await upgrade(`${NS}/pods/placed/exec?container=b&command=sh&stdout=1`, 'bob', '')).toMatch(
    /^HTTP\/1\.1 403 [\s\S]*cannot get resource \\"pods\/exec\\"/,
  );
  expect(await upgrade(`${NS}/pods/placed/exec?container=b&stdout=1`, 'admin', '')).toMatch(/^HTTP\/1\.1 400 [\s\S]*at least 1 command/);
  expect(asked).toHaveLength(before);
});

/** Everything the server sends until it closes, after sending `text` and closing our half once it is back. */
function upgrade(path: string, token: string, text: string, protocol = 'Upgrade: SPDY/3.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: api.server.port, rejectUnauthorized: false, allowHalfOpen: true, ALPNProtocols: ['http/1.1'] };
    const socket = connect(options, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\n${protocol}\r\n\r\n`);
    });
    let all = '';
    let sent = false;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      all += chunk;
      if (!sent && all.includes('\r\n\r\n')) {
        sent = true;
        if (text === '') return;
        socket.write(text);
      }
      if (text !== '' && all.endsWith(text)) socket.end();
    });
    socket.on('end', () => {
      socket.end();
      resolve(all);
    });
    socket.on('error', reject);
  });
}
