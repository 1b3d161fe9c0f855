import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { Pod } from '@coxswain/api';
import { createCa, issueCertificate, type KeyPairPem } from '@coxswain/pki';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { freePort } from '@coxswain/sdk-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type KubeletConfig, kubeletOptions } from '../options.js';
import { KubeletServer, type KubeletServerDeps, type ServingCertificate } from './kubelet-server.js';

let server: KubeletServer | undefined;
afterEach(() => server?.stop());

async function start(config: KubeletConfig, deps: Partial<KubeletServerDeps> = {}): Promise<KubeletServer> {
  server = new KubeletServer(
    {
      clock: systemClock,
      logger: silentLogger,
      auth: { authenticate: async () => undefined } as never,
      pods: () => [{ metadata: { name: 'web' } } as Pod],
      metrics: () => 'kubelet_up 1\n',
      unhealthy: () => [],
      ...deps,
    } as KubeletServerDeps,
    kubeletOptions({ address: '127.0.0.1', port: 0, ...config }),
  );
  await server.start();
  return server;
}

async function get(port: number, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  const [response] = (await once(http.request({ host: '127.0.0.1', port, path, method }).end(), 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

async function peer(port: number, options: tls.ConnectionOptions = {}): Promise<{ subject: string; protocol: string | null; cipher: string }> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return { subject: new X509Certificate(socket.getPeerCertificate().raw).subject, protocol: socket.getProtocol(), cipher: socket.getCipher().name };
  } finally {
    socket.destroy();
  }
}

async function pairOf(commonName: string): Promise<KeyPairPem> {
  const now = Date.now();
  return issueCertificate(await createCa('ca', now), { subject: { commonName }, usage: 'server', now, validForMs: 60_000 });
}

it('the read-only port shows without asking who it is, and lets nobody do anything', async () => {
  const readOnlyPort = await freePort();
  await start({ readOnlyPort });
  expect(JSON.parse((await get(readOnlyPort, '/pods')).body)).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'web' } }] });
  expect(await get(readOnlyPort, '/metrics')).toEqual({ status: 200, body: 'kubelet_up 1\n' });
  for (const path of ['/containerLogs/default/web/main', '/logs/', '/configz', '/runningpods/', '/debug/pprof/'])
    expect((await get(readOnlyPort, path)).status, path).toBe(404);
  expect((await get(readOnlyPort, '/pods', 'POST')).status).toBe(405);
});

it('health is told where it is asked to be, and a port in use does not end the kubelet', async () => {
  const healthzPort = await freePort();
  await start({ healthzPort, healthzBindAddress: '127.0.0.2' });
  const [response] = (await once(http.get({ host: '127.0.0.2', port: healthzPort, path: '/healthz' }), 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  response.resume();
  await server?.stop();

  const other = http.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  await start({ healthzPort: (other.address() as AddressInfo).port });
  expect((await peer(server?.port ?? 0)).subject).toContain('CN=system:node:');
  other.close();
});

describe('the serving certificate', () => {
  it('comes when there is one, and is replaced for connections that come later', async () => {
    let changed: (pair: KeyPairPem) => void = () => {};
    const servingCertificate: ServingCertificate = {
      current: undefined,
      onChange(listener) {
        changed = listener;
        return () => {};
      },
    };
    const { port } = await start({}, { servingCertificate });
    await expect(peer(port)).rejects.toThrow(/alert|reset/i);
    for (const name of ['first', 'second']) {
      changed(await pairOf(name));
      expect((await peer(port)).subject).toBe(`CN=${name}`);
    }
  });

  it('is served as TLS is configured', async () => {
    const { port } = await start({ tlsMinVersion: 'TLSv1.2', tlsCiphers: 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256' });
    expect(await peer(port, { maxVersion: 'TLSv1.2' })).toMatchObject({ protocol: 'TLSv1.2', cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
    await expect(peer(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })).rejects.toThrow(/alert|reset/i);
    await server?.stop();
    const strict = await start({ tlsMinVersion: 'TLSv1.3' });
    await expect(peer(strict.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert|reset/i);
  });
});
