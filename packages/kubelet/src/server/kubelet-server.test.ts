import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Pod } from '@coxswain/api';
import { CriError } from '@coxswain/cri';
import { createCa, issueCertificate, type KeyPairPem } from '@coxswain/pki';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { FakeClock, freePort } from '@coxswain/sdk-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { kubeletSettings } from '../command/kubelet-configuration.js';
import { type KubeletConfig, kubeletOptions } from '../options.js';
import { checkpoint } from './checkpoint.js';
import { requestAttributes } from './auth.js';
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
      stats: { claims: async () => [] } as never,
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
  for (const path of ['/containerLogs/default/web/main', '/logs/', '/configz', '/runningpods/', '/debug/pprof/', '/statusz'])
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

const anybody = { authenticate: async () => ({ name: 'admin', groups: [] }), authorize: async () => undefined } as never;

async function ask(port: number, method: string, path: string, body = ''): Promise<{ status: number; body: string }> {
  const request = https.request({ host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false });
  const [response] = (await once(request.end(body), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, body: text };
}

it('PUT /debug/flags/v says how much is logged, unless that is turned off', async () => {
  const levels: number[] = [];
  const deps = { auth: anybody, logger: { ...silentLogger, setVerbosity: (level: number) => void levels.push(level) } };
  const { port } = await start({}, deps);
  expect(await ask(port, 'PUT', '/debug/flags/v', '5')).toEqual({ status: 200, body: 'successfully set klog.logging.verbosity to 5' });
  expect(await ask(port, 'PUT', '/debug/flags/v', 'much')).toMatchObject({
    status: 400,
    body: 'failed set klog.logging.verbosity much: strconv.ParseInt: parsing "much": invalid syntax\n',
  });
  expect((await ask(port, 'GET', '/debug/flags/v')).status).toBe(406);
  expect((await ask(port, 'PUT', '/debug/flags/vmodule', '5')).status).toBe(404);
  expect(levels).toEqual([5]);
  await server?.stop();
  const off = await start({ enableDebugFlagsHandler: false, enableProfilingHandler: false, enableSystemLogHandler: false }, deps);
  expect(await ask(off.port, 'PUT', '/debug/flags/v', '5')).toEqual({ status: 405, body: 'flags endpoint is disabled.\n' });
  expect((await ask(off.port, 'GET', '/debug/pprof/')).body).toBe('profiling endpoint is disabled.\n');
  expect((await ask(off.port, 'GET', '/logs/')).body).toBe('logs endpoint is disabled.\n');
});

it('without debugging handlers it is said that there are none', async () => {
  const { port } = await start({ enableDebuggingHandlers: false }, { auth: anybody });
  for (const path of ['/exec/default/web/main', '/containerLogs/default/web/main', '/runningpods/', '/debug/pprof/', '/logs/'])
    expect(await ask(port, 'GET', path), path).toEqual({ status: 405, body: 'Debug endpoints are disabled.\n' });
  for (const path of ['/configz', '/debug/flags/v']) expect((await ask(port, 'GET', path)).status, path).toBe(404);
  expect((await ask(port, 'GET', '/pods')).status).toBe(200);
});

it('z-pages: what it is, where more is to be seen, and what its command line came to', async () => {
  const { port } = await start({}, { auth: anybody, flags: { 'root-dir': '/var/lib/kubelet' } });
  expect((await ask(port, 'GET', '/statusz')).body).toMatch(/^\nkubelet statusz\n[\s\S]*\nPaths: .*\/flagz \/healthz .*\/statusz\n$/);
  expect((await ask(port, 'GET', '/flagz')).body).toMatch(/\nroot-dir=\/var\/lib\/kubelet\n$/);
  expect(requestAttributes('GET', '/statusz').subresources).toEqual(['statusz']);
  expect(requestAttributes('GET', '/flagz').subresources).toEqual(['configz']);
  expect(requestAttributes('POST', '/checkpoint/default/web/main').subresources).toEqual(['checkpoint']);
});

it('/configz is a KubeletConfiguration', async () => {
  const { port } = await start(
    { syncFrequencyMs: 90_000, evictionSoftGracePeriodMs: { 'memory.available': 1500 } },
    { auth: anybody, configuration: { failSwapOn: true } },
  );
  const { kubeletconfig } = JSON.parse((await ask(port, 'GET', '/configz')).body) as { kubeletconfig: Record<string, unknown> };
  expect(kubeletconfig).toMatchObject({
    port,
    syncFrequency: '1m30s',
    streamingConnectionIdleTimeout: '4h0m0s',
    evictionSoftGracePeriod: { 'memory.available': '1.5s' },
    containerLogMaxSize: '10Mi',
    cpuCFSQuotaPeriod: '100ms',
    failSwapOn: true,
  });
  // What it says is what --config takes.
  const taken = kubeletSettings({ ...kubeletconfig, healthzPort: 10_248 });
  expect(taken).toMatchObject({ syncFrequencyMs: 90_000, containerLogMaxSizeBytes: 10 * 1024 * 1024, maxPods: 110 });
});

it('is healthy as long as its sync loop is', async () => {
  let problems: string[] = [];
  const { port } = await start({}, { auth: anybody, unhealthy: () => problems });
  expect(await ask(port, 'GET', '/healthz?verbose')).toMatchObject({ status: 200, body: '[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n' });
  problems = ['late'];
  expect(await ask(port, 'GET', '/healthz')).toMatchObject({ status: 500 });
  expect(await ask(port, 'GET', '/healthz/syncloop')).toMatchObject({ status: 500, body: 'internal server error: late\n' });
});

it('/metrics/slis tells of the checks that were asked for', async () => {
  let problems: string[] = [];
  const { port } = await start({}, { auth: anybody, unhealthy: () => problems });
  await ask(port, 'GET', '/healthz');
  problems = ['late'];
  await ask(port, 'GET', '/healthz');
  const { body } = await ask(port, 'GET', '/metrics/slis');
  expect(body).toContain('kubernetes_healthcheck{name="ping",type="healthz"} 1\n');
  expect(body).toContain('kubernetes_healthcheck{name="syncloop",type="healthz"} 0\n');
  expect(body).toContain('kubernetes_healthchecks_total{name="syncloop",status="success",type="healthz"} 1\n');
  expect(body).toContain('kubernetes_healthchecks_total{name="syncloop",status="error",type="healthz"} 1\n');
});

describe('a checkpoint', () => {
  const container = (name: string, phase: string) => ({ id: `id-${name}`, name, phase });
  const take = async (path: string, fails?: Error) => {
    const asked: unknown[] = [];
    const rootDir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
    const access = {
      pod: () => ({
        pod: { spec: { containers: [{ name: 'web' }, { name: 'gone' }] } },
        observed: { containers: [container('web', 'running'), container('gone', 'exited')] },
      }),
    };
    const runtime = {
      checkpointContainer: async (request: unknown) => {
        if (fails) throw fails;
        asked.push(request);
      },
    };
    const url = new URL(path, 'https://kubelet/checkpoint/');
    const parts = url.pathname.split('/').filter(Boolean).slice(1);
    try {
      const answer = await checkpoint({ request: { method: 'POST' }, url, parts } as never, { runtime, access, clock: new FakeClock(), rootDir } as never);
      return { answer: answer.items.map((item) => item.replace(rootDir, '')), asked };
    } finally {
      await rm(rootDir, { recursive: true });
    }
  };

  it('is written by the runtime to a file of ours', async () => {
    const { answer, asked } = await take('shop/web-0/web?timeout=5');
    expect(answer).toEqual([expect.stringMatching(/^\/checkpoints\/checkpoint-web-0_shop-web-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.tar$/)]);
    expect(asked).toEqual([{ containerId: 'id-web', timeout: 5n, location: expect.stringContaining('checkpoint-web-0_shop-web-') }]);
  });

  it.each([
    ['shop/web-0/none', 404, 'container none does not exist'],
    ['shop/web-0/web?timeout=soon', 404, 'cannot parse value of timeout parameter'],
    ['shop/web-0/gone', 500, 'checkpointing of shop/web-0/gone failed (container gone not found)'],
  ])('%s: %i', async (path, status, message) => expect(take(path)).rejects.toMatchObject({ status, message }));

  it('is refused by a runtime that makes none', async () => {
    await expect(take('shop/web-0/web', new CriError('unimplemented', 'no CRIU'))).rejects.toMatchObject({
      status: 500,
      message: 'checkpointing of shop/web-0/web failed (rpc error: code = Unimplemented desc = no CRIU)',
    });
  });
});

it('a stream that is silent for too long is closed', async () => {
  const runtime = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'));
  });
  await once(runtime.listen(0, '127.0.0.1'), 'listening');
  const { port: streaming } = runtime.address() as AddressInfo;
  const { port } = await start(
    { streamingConnectionIdleTimeoutMs: 50 },
    {
      auth: anybody,
      access: { running: () => ({ id: 'c1' }) } as never,
      runtime: { exec: async () => ({ url: `http://127.0.0.1:${streaming}/exec/1` }) } as never,
    },
  );
  try {
    const request = https.request({
      host: '127.0.0.1',
      port,
      path: '/exec/default/web/main?command=sh&output=1',
      method: 'POST',
      headers: { connection: 'upgrade', upgrade: 'x' },
      rejectUnauthorized: false,
      agent: false,
    });
    const [, socket] = (await once(request.end(), 'upgrade')) as [IncomingMessage, Socket];
    socket.on('error', () => {}).resume();
    if (!socket.destroyed) await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  } finally {
    runtime.close();
  }
});
