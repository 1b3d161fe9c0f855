import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { systemClock } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import type { TestServer } from '../testing/start-test-server.js';
import { servingCertificate } from '../testing/test-certificates.js';

const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const LOCAL = '/api/v1/namespaces';

type Behaviour = 'well' | 'hangs' | 'rubbish' | 'errors';

/** A server of remote.example.com/v1 that can be told to misbehave, killed and brought back on its port. */
async function startRemote() {
  const { ca, cert, key } = await servingCertificate('remote.default.svc');
  const state = { behaviour: 'well' as Behaviour, asked: 0 };
  let server: Server;
  const make = () =>
    createServer({ cert, key }, (request, response) => {
      state.asked++;
      if (state.behaviour === 'hangs') return;
      if (state.behaviour === 'errors') return void response.writeHead(500).end('broken');
      if (state.behaviour === 'rubbish') return void response.end('{"resources": 42, "paths": [');
      response.setHeader('content-type', 'application/json');
      const resources = [{ name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] }];
      if (request.url === '/apis/remote.example.com/v1')
        return void response.end(JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'remote.example.com/v1', resources }));
      response.end(JSON.stringify({ kind: 'ThingList', apiVersion: 'remote.example.com/v1', metadata: {}, items: [] }));
    });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server = make();
      server.on('upgrade', (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
      server.listen(port, '127.0.0.1', () => resolve());
    });
  await listen(0);
  const { port } = (server! as Server).address() as AddressInfo;
  const kill = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { state, port, ca, kill, back: () => listen(port), [Symbol.asyncDispose]: kill };
}

async function register(api: TestServer, { port, ca }: { port: number; ca: string }): Promise<void> {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'remote' }, spec: { type: 'ExternalName', externalName: '127.0.0.1' } };
  expect((await api.call('POST', '/api/v1/namespaces/default/services', service)).status).toBe(201);
  const spec = {
    group: 'remote.example.com',
    version: 'v1',
    service: { namespace: 'default', name: 'remote', port },
    caBundle: Buffer.from(ca).toString('base64'),
    groupPriorityMinimum: 2000,
    versionPriority: 1,
  };
  const created = await api.call('POST', API_SERVICES, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.remote.example.com' },
    spec,
  });
  expect(created.status, created.text).toBe(201);
}

async function until(api: TestServer, status: 'True' | 'False'): Promise<{ reason: string; message: string }> {
  for (;;) {
    const { json } = await api.call('GET', `${API_SERVICES}/v1.remote.example.com`);
    const found = json.status?.conditions?.find((each: { type: string }) => each.type === 'Available');
    if (found?.status === status) return found;
    await systemClock.sleep(50);
  }
}

const things = (api: TestServer) => api.call('GET', '/apis/remote.example.com/v1/namespaces/default/things');

describe('servers of others that do not behave', () => {
  it('are left out when they die and taken back when they return, and nobody else notices', async () => {
    await using remote = await startRemote();
    await using api = await startTestServer();
    await register(api, remote);
    await until(api, 'True');
    expect((await things(api)).json.kind).toBe('ThingList');
    await remote.kill();
    // Whoever asks finds out; the next look follows from that, not from a timer.
    expect((await things(api)).status).toBe(503);
    expect((await until(api, 'False')).reason).toBe('FailedDiscoveryCheck');
    const refused = await things(api);
    expect(refused).toMatchObject({ status: 503, text: 'service unavailable\n' });
    expect((await api.call('GET', LOCAL)).status).toBe(200);
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const group = (await api.call('GET', '/apis', undefined, { headers: { accept } })).json.items.find(
      (item: { metadata: { name: string } }) => item.metadata.name === 'remote.example.com',
    );
    expect(group.versions[0]).toMatchObject({ freshness: 'Stale', resources: [{ resource: 'things' }] });
    await remote.back();
    await until(api, 'True');
    expect((await things(api)).status).toBe(200);
  });

  it('do not hold up other groups while they hang', async () => {
    await using remote = await startRemote();
    await using api = await startTestServer();
    await register(api, remote);
    await until(api, 'True');
    remote.state.behaviour = 'hangs';
    const before = remote.state.asked;
    let answered = 0;
    const stuck = Array.from({ length: 40 }, () =>
      things(api).then(
        () => answered++,
        () => answered++,
      ),
    );
    while (remote.state.asked < before + 40) await systemClock.sleep(10);
    for (let i = 0; i < 40; i++) {
      expect((await api.call('GET', LOCAL)).status).toBe(200);
      expect((await api.call('GET', '/apis')).status).toBe(200);
    }
    expect(answered).toBe(0);
    await remote.kill();
    await Promise.all(stuck);
  });

  it.each(['rubbish', 'errors'] as const)('are not available when all they say is %s', async (behaviour) => {
    await using remote = await startRemote();
    remote.state.behaviour = behaviour;
    await using api = await startTestServer();
    await register(api, remote);
    expect((await until(api, 'False')).reason).toBe('FailedDiscoveryCheck');
    for (const path of ['/apis', '/openapi/v3', '/api/v1', LOCAL]) expect((await api.call('GET', path)).status, path).toBe(200);
  });

  it('are told who upgrades a connection, and get it', async () => {
    await using remote = await startRemote();
    await using api = await startTestServer();
    await register(api, remote);
    await until(api, 'True');
    const socket = connect({ host: '127.0.0.1', port: api.server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const path = '/apis/remote.example.com/v1/namespaces/default/things/x/exec';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (received.endsWith('\r\n\r\n')) socket.write('hello');
    });
    while (!received.endsWith('hello')) await systemClock.sleep(10);
    expect(received).toMatch(/^HTTP\/1\.1 101 /);
    socket.destroy();
  });
});
