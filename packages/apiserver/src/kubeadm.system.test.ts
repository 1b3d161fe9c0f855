import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCa, createServiceAccountKeys, issueCertificate } from '@coxswain/pki';
import type { CertificateUsage } from '@coxswain/pki';
import { systemClock } from '@coxswain/sdk';
import { freePorts } from '@coxswain/sdk-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubeadmFlags } from './testing/kubeadm-flags.js';

const BIN = fileURLToPath(new URL('bin.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'apiserver-kubeadm-'));
const pki = join(folder, 'pki');
const running = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of running) await stop(child, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** What `kubeadm init phase certs all` makes. */
beforeAll(async () => {
  const now = systemClock.now();
  const validForMs = 3_600_000;
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(pki, name)), { recursive: true });
    writeFileSync(join(pki, name), text, { mode: 0o600 });
  };
  const authority = async (name: string, commonName: string) => {
    const ca = await createCa(commonName, now, validForMs);
    put(`${name}.crt`, ca.cert);
    return async (leaf: string, usage: CertificateUsage, commonName: string, organizations: string[] = []) => {
      const pair = await issueCertificate(ca, { usage, subject: { commonName, organizations }, ipAddresses: ['127.0.0.1'], now, validForMs });
      put(`${leaf}.crt`, pair.cert);
      put(`${leaf}.key`, pair.key);
    };
  };
  const kubernetes = await authority('ca', 'kubernetes');
  const etcd = await authority('etcd/ca', 'etcd-ca');
  const frontProxy = await authority('front-proxy-ca', 'front-proxy-ca');
  await kubernetes('apiserver', 'server', 'kube-apiserver');
  await kubernetes('apiserver-kubelet-client', 'client', 'kube-apiserver-kubelet-client', ['kubeadm:cluster-admins']);
  await kubernetes('admin', 'client', 'kubernetes-super-admin', ['system:masters']);
  await etcd('etcd/server', 'server-and-client', 'etcd');
  await etcd('apiserver-etcd-client', 'client', 'kube-apiserver-etcd-client');
  await frontProxy('front-proxy-client', 'client', 'front-proxy-client');
  const { privateKey, publicKey } = createServiceAccountKeys();
  put('sa.key', privateKey);
  put('sa.pub', publicKey);
});

function run(command: string, args: readonly string[]): ChildProcess & { readonly said: () => string } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  running.add(child);
  return Object.assign(child, { said: () => text });
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const call = (port: number, method: string, path: string, body?: object, identity = true): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const pem = (name: string) => readFileSync(join(pki, name));
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        ca: pem('ca.crt'),
        ...(identity ? { cert: pem('admin.crt'), key: pem('admin.key') } : {}),
        agent: false,
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body ? JSON.stringify(body) : undefined);
  });

/** Looks until the program says it is ready, or has ended. */
async function ready(server: ReturnType<typeof run>, port: number): Promise<void> {
  while (server.exitCode === null) {
    const answer = await call(port, 'GET', '/readyz', undefined, false).catch(() => undefined);
    if (answer?.text === 'ok') return;
    await systemClock.sleep(20);
  }
  throw new Error(`the API server ended:\n${server.said()}`);
}

test("the program starts with kubeadm's arguments on a real etcd, serves, stops, and finds everything again", async () => {
  const { etcdPort, peerPort, port } = await freePorts('etcdPort', 'peerPort', 'port');
  const etcdUrl = `https://127.0.0.1:${etcdPort}`;
  const files = ['--cert-file', join(pki, 'etcd/server.crt'), '--key-file', join(pki, 'etcd/server.key'), '--trusted-ca-file', join(pki, 'etcd/ca.crt')];
  const peer = `http://127.0.0.1:${peerPort}`;
  run('etcd', [
    ...['--name', 'm', '--data-dir', join(folder, 'etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl, '--client-cert-auth', ...files],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `m=${peer}`, '--logger', 'zap'],
  ]);
  const flags = kubeadmFlags(pki, { advertiseAddress: '192.0.2.10', securePort: port, etcd: etcdUrl });
  const start = () => run(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', BIN, ...flags, '--bind-address=127.0.0.1']);

  const first = start();
  await ready(first, port);
  expect((await call(port, 'POST', '/api/v1/namespaces', { metadata: { name: 'kept' } })).status).toBe(201);
  const service = JSON.parse((await call(port, 'GET', '/api/v1/namespaces/default/services/kubernetes')).text);
  expect(service.spec.clusterIP).toBe('10.96.0.1');
  const endpoints = JSON.parse((await call(port, 'GET', '/api/v1/namespaces/default/endpoints/kubernetes')).text);
  expect(endpoints.subsets).toEqual([{ addresses: [{ ip: '192.0.2.10' }], ports: [{ name: 'https', port, protocol: 'TCP' }] }]);
  expect((await call(port, 'GET', '/api/v1/namespaces', undefined, false)).status).toBe(403);
  await stop(first, 'SIGTERM');
  expect(first.exitCode).toBe(0);

  const second = start();
  await ready(second, port);
  expect((await call(port, 'GET', '/api/v1/namespaces/kept')).status).toBe(200);
  await stop(second, 'SIGTERM');
});

test('a wrong flag ends the program with code 1, by name', async () => {
  const server = run(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', BIN, '--authorization-mode=ABAC', '--goaway-chance=1']);
  const [code] = await once(server, 'close');
  running.delete(server);
  expect([code, server.said()]).toEqual([1, expect.stringMatching(/--goaway-chance: "1" is not between[\s\S]*--authorization-mode: "ABAC" is not part/)]);
});
