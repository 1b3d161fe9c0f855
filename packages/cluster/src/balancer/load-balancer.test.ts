import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type ClusterPki, ensureClusterPki } from '@coxswain/pki';
import { silentLogger, systemClock, type Component } from '@coxswain/sdk';
import { freePort } from '@coxswain/sdk-testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { loadBalancer } from './load-balancer.js';

const dir = mkdtempSync(join(tmpdir(), 'balancer-'));
let pki: ClusterPki;
beforeAll(async () => {
  pki = await ensureClusterPki({ dir, apiServerNames: [], apiServerIPs: [], clusterDomain: 'cluster.local', nodeName: 'n', nodeIPs: [], now: Date.now() });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn();
});

/** An API server that says who it is; `ready` may be changed. */
async function backend(name: string) {
  const state = { ready: true };
  const server: Server = createServer({ ...pki.leaf.apiserver }, (request, response) => {
    response.statusCode = request.url === '/readyz' && !state.ready ? 500 : 200;
    response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { state, server, endpoint: { address: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

async function balance(...endpoints: { address: string; port: number }[]): Promise<number> {
  const port = await freePort();
  const component: Component = loadBalancer({
    listen: [{ address: '127.0.0.1', port }],
    backends: endpoints,
    check: { ca: pki.ca.cert, intervalMs: 20, failures: 2 },
    clock: systemClock,
    logger: silentLogger,
  });
  await component.start(AbortSignal.timeout(10_000));
  undo.push(() => component.stop(AbortSignal.timeout(5000)));
  return port;
}

/** A connection of its own through the balancer. */
function dial(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: pki.ca.cert }, () => resolve(socket));
    socket.once('error', reject);
    undo.push(async () => socket.destroy());
  });
}

async function ask(port: number): Promise<string> {
  const socket = await dial(port);
  socket.write('GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return (
    text
      .split('\r\n\r\n')[1]
      ?.split('\r\n')
      .find((line) => /^[a-z]+$/.test(line)) ?? text
  );
}

const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 6000, interval: 20 });

const asked = async (port: number, times: number) => new Set(await Promise.all(Array.from({ length: times }, () => ask(port))));

test('connections go to the healthy in turn, and TLS is passed through', async () => {
  const [a, b] = [await backend('alpha'), await backend('beta')];
  const port = await balance(a.endpoint, b.endpoint);
  await eventually(async () => expect(await asked(port, 4)).toEqual(new Set(['alpha', 'beta'])));
  b.state.ready = false;
  await eventually(async () => expect(await asked(port, 4)).toEqual(new Set(['alpha'])));
  b.state.ready = true;
  await eventually(async () => expect(await asked(port, 4)).toEqual(new Set(['alpha', 'beta'])));
});

test('one that refuses is passed over at once, before anybody has looked', async () => {
  const a = await backend('alpha');
  const port = await balance({ address: '127.0.0.1', port: await freePort() }, a.endpoint);
  expect(await asked(port, 4)).toEqual(new Set(['alpha']));
});

test('clients of a backend that is down are cut off, so that they come again', async () => {
  const [a, b] = [await backend('alpha'), await backend('beta')];
  const port = await balance(a.endpoint, b.endpoint);
  await eventually(async () => expect(await asked(port, 4)).toEqual(new Set(['alpha', 'beta'])));
  const sockets = await Promise.all([dial(port), dial(port)]);
  const ends = sockets.map((socket) => new Promise<string>((resolve) => socket.once('close', () => resolve('closed'))));
  b.state.ready = false;
  expect(await Promise.race(ends)).toBe('closed');
  expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(1);
});

test('nobody is cut off when nobody else could serve', async () => {
  const a = await backend('alpha');
  const port = await balance(a.endpoint);
  await eventually(async () => expect(await ask(port)).toBe('alpha'));
  const socket = await dial(port);
  let looks = 0;
  a.server.on('request', ({ url }) => {
    if (url === '/readyz') looks++;
  });
  a.state.ready = false;
  await eventually(async () => expect(looks).toBeGreaterThan(4));
  expect(socket.destroyed).toBe(false);
});
