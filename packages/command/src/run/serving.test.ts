import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate } from '@coxswain/pki';
import { type ComponentServer, serveComponent } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addServingFlags, componentCommand, type ServingFlags } from '../index.js';
import { componentServing } from './serving.js';

const now = Date.now();
const day = 24 * 3600 * 1000;
let folder: string;
let api: Server;
let clientCa: Awaited<ReturnType<typeof createCa>>;
let proxyCa: Awaited<ReturnType<typeof createCa>>;
let stranger: Awaited<ReturnType<typeof createCa>>;
/** What the API server was asked. */
const asked: string[] = [];

const client = (ca: typeof clientCa, commonName: string, usage: 'client' | 'server' = 'client') =>
  issueCertificate(ca, { subject: { commonName, organizations: ['ops'] }, usage, now, validForMs: day });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serving-'));
  [clientCa, proxyCa, stranger] = await Promise.all([createCa('clients', now), createCa('proxies', now), createCa('strangers', now)]);
  api = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (c: Buffer) => chunks.push(c));
    incoming.on('end', () => {
      const send = (status: number, body: object) => answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (incoming.url?.includes('configmaps')) {
        send(200, { kind: 'ConfigMap', apiVersion: 'v1', data: { 'client-ca-file': clientCa.cert } });
        return;
      }
      const { kind, spec } = JSON.parse(Buffer.concat(chunks).toString()) as { kind: string; spec: { token?: string; user: string; groups: string[] } };
      asked.push(`${kind} ${spec.token ?? spec.user}`);
      if (kind === 'TokenReview')
        send(201, {
          status: spec.token === 'good' ? { authenticated: true, user: { username: 'mon', groups: ['system:authenticated'] } } : { authenticated: false },
        });
      else
        send(201, {
          status: { allowed: ['mon', 'admin', 'through'].includes(spec.user) && spec.groups.includes('system:authenticated'), reason: 'by the test' },
        });
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: {} }],
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  writeFileSync(join(folder, 'proxy-ca.crt'), proxyCa.cert);
});
afterAll(() => {
  api.close();
  api.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const flags = (...args: string[]): ServingFlags => {
  const command = addServingFlags(componentCommand('ticker', 'ticks'), 1).configureOutput({ writeErr: () => {} });
  command.action(() => {});
  return command.parse(['--bind-address=127.0.0.1', ...args], { from: 'user' }).opts();
};

async function served(...args: string[]): Promise<ComponentServer> {
  const serving = await componentServing(flags(...args), 'ticker');
  const { bindAddress, securePort: _port, ...access } = serving ?? { bindAddress: '', securePort: 0 };
  return serveComponent({ address: bindAddress, port: 0, ...access, metrics: () => 'ticks 1\n', checks: {} });
}

interface Caller {
  readonly cert?: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
}
const get = ({ port }: ComponentServer, path: string, { headers = {}, ...pair }: Caller = {}) =>
  new Promise<string>((resolve, reject) => {
    const r = request({ host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false, ...pair }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (c: Buffer) => chunks.push(c));
      answer.on('end', () => resolve(`${answer.statusCode} ${Buffer.concat(chunks).toString()}`));
    });
    r.on('error', reject);
    r.end();
  });

describe('what a component serves', () => {
  it('health is for anybody, metrics for whom the API server lets', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const server = await served(
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--requestheader-client-ca-file=${join(folder, 'proxy-ca.crt')}`,
      '--requestheader-allowed-names=front',
    );
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    try {
      expect(await get(server, '/healthz')).toBe('200 ok');
      expect(await get(server, '/metrics')).toContain('403 {"kind":"Status"');
      expect(await get(server, '/metrics')).toContain('User \\"system:anonymous\\" cannot get path \\"/metrics\\"');
      expect(await get(server, '/metrics', bearer('good'))).toBe('200 ticks 1\n');
      expect(await get(server, '/metrics', bearer('bad'))).toContain('401 ');
      expect(await get(server, '/metrics', await client(clientCa, 'admin'))).toBe('200 ticks 1\n');
      expect(await get(server, '/metrics', await client(clientCa, 'somebody'))).toContain('User \\"somebody\\" cannot get');
      expect(await get(server, '/metrics', await client(stranger, 'admin'))).toContain('system:anonymous');
      expect(await get(server, '/metrics', await client(clientCa, 'admin', 'server'))).toContain('system:anonymous');
      const through = { headers: { 'x-remote-user': 'through', 'x-remote-group': 'ops' } };
      expect(await get(server, '/metrics', { ...(await client(proxyCa, 'front')), ...through })).toBe('200 ticks 1\n');
      expect(await get(server, '/metrics', { ...(await client(proxyCa, 'other')), ...through })).toContain('system:anonymous');
      expect(await get(server, '/metrics', { ...(await client(clientCa, 'somebody')), ...through })).toContain('User \\"somebody\\" cannot get');
      // Answers hold for a while.
      await get(server, '/metrics', bearer('good'));
      expect(asked.filter((a) => a === 'TokenReview good')).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  it('without an API server to ask, only what is always allowed', async () => {
    const server = await served('--authorization-always-allow-paths=/healthz,/met*');
    try {
      expect([await get(server, '/healthz'), await get(server, '/metrics'), await get(server, '/livez')]).toEqual([
        '200 ok',
        '200 ticks 1\n',
        expect.stringContaining('no --authorization-kubeconfig'),
      ]);
    } finally {
      await server.close();
    }
  });

  it('keeps its certificate in --cert-dir', async () => {
    const certs = join(folder, 'certs');
    const first = await componentServing(flags(`--cert-dir=${certs}`), 'ticker');
    const again = await componentServing(flags(`--cert-dir=${certs}`, '--tls-min-version=VersionTLS13'), 'ticker');
    expect(again?.tls?.cert).toBe(first?.tls?.cert);
    expect(again?.tls?.minVersion).toBe('TLSv1.3');
    expect(readFileSync(join(certs, 'ticker.crt'), 'utf8')).toBe(first?.tls?.cert);
  });

  it.each([
    [['--tls-cert-file=/x'], 'go together'],
    [['--tls-cipher-suites=TLS_NOPE'], '--tls-cipher-suites: "TLS_NOPE" is not known'],
    [['--cert-dir=/dev/null/certs'], '--cert-dir: '],
    [['--client-ca-file=/no/ca'], '--client-ca-file: /no/ca cannot be read'],
  ])('%j is refused', async (args, message) => expect(componentServing(flags(...args), 'ticker')).rejects.toThrow(message));

  it('nothing on port 0; suites by their IANA names', async () => {
    expect(await componentServing(flags('--secure-port=0'), 'ticker')).toBeUndefined();
    const suites = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA,TLS_AES_128_GCM_SHA256';
    expect((await componentServing(flags(`--tls-cipher-suites=${suites}`), 'ticker'))?.tls?.ciphers).toBe(
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES128-SHA',
    );
  });
});
