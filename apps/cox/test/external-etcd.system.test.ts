import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCa, issueCertificate } from '@coxswain/pki';
import { freePorts } from '@coxswain/sdk-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, command, eventually } from './cluster-fixture.js';

// Slow: boots a cluster twice. Its state is in an etcd of somebody else's: two members that want certificates, so that one less is no quorum.
const cluster = new ClusterFixture('t-etcd');
const dir = join(cluster.folder, 'etcd');
const file = (name: string) => join(dir, name);
const members: { readonly name: string; readonly url: string; readonly peer: string; process?: ChildProcess }[] = [];
const endpoints = () => members.map(({ url }) => url).join();

function startMember(member: (typeof members)[number]): void {
  const { name, url, peer } = member;
  member.process = spawn(
    'etcd',
    [
      ...['--name', name, '--data-dir', file(name), '--initial-cluster', members.map((m) => `${m.name}=${m.peer}`).join()],
      ...['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--client-cert-auth', '--trusted-ca-file', file('ca.crt'), '--cert-file', file('server.crt'), '--key-file', file('server.key')],
      ...['--heartbeat-interval', '200', '--election-timeout', '2000'],
    ],
    { stdio: 'ignore' },
  );
}

async function stopMember(member: (typeof members)[number]): Promise<void> {
  const { process } = member;
  if (process?.pid === undefined || process.exitCode !== null) return;
  const gone = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGKILL');
  await gone;
}

async function etcdctl(...args: string[]): Promise<string> {
  const files = ['--cacert', file('ca.crt'), '--cert', file('client.crt'), '--key', file('client.key')];
  const { code, stdout, stderr } = await command('etcdctl', ['--endpoints', endpoints(), ...files, ...args], { env: { ETCDCTL_API: '3' } });
  if (code !== 0) throw new Error(`etcdctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function up(client = 'client', ca = 'ca') {
  const files = ['--etcd-cafile', file(`${ca}.crt`), '--etcd-certfile', file(`${client}.crt`), '--etcd-keyfile', file(`${client}.key`)];
  const args = ['up', '--name', cluster.name, '--no-cloud', '--no-metrics-server', '--etcd-endpoints', endpoints(), ...files];
  return cluster.cox(args, { timeoutMs: 240_000 });
}

beforeAll(async () => {
  mkdirSync(dir, { recursive: true });
  const [now, validForMs] = [Date.now(), 3_600_000];
  const write = (name: string, content: string) => writeFileSync(file(name), content, { mode: 0o600 });
  const ca = await createCa('etcd-ca', now, validForMs);
  const other = await createCa('other-ca', now, validForMs);
  write('ca.crt', ca.cert);
  write('other.crt', other.cert);
  for (const [name, issuer, usage] of [
    ['server', ca, 'server'],
    ['client', ca, 'client'],
    ['stranger', other, 'client'],
  ] as const) {
    const { cert, key } = await issueCertificate(issuer, { usage, subject: { commonName: name }, ipAddresses: ['127.0.0.1'], now, validForMs });
    write(`${name}.crt`, cert);
    write(`${name}.key`, key);
  }
  const ports = await freePorts('m0', 'm0-peer', 'm1', 'm1-peer');
  for (const name of ['m0', 'm1'] as const) {
    members.push({ name, url: `https://127.0.0.1:${ports[name]}`, peer: `http://127.0.0.1:${ports[`${name}-peer`]}` });
  }
  for (const member of members) startMember(member);
  await eventually('etcd is there', () => etcdctl('endpoint', 'health'), 60_000);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  for (const member of members) await stopMember(member);
});

test('certificates that are wrong are told at once, and no cluster is made', async () => {
  for (const [client, ca, reason] of [
    ['stranger', 'ca', 'it refused our client certificate'],
    ['client', 'other', 'its certificate is not signed by the given CA'],
  ] as const) {
    const refused = await up(client, ca);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) });
    expect(refused.stderr).toContain(`the etcd of --etcd-endpoints ${endpoints()} cannot be used`);
  }
  const alone = await cluster.cox(['up', '--name', cluster.name, '--etcd-endpoints', endpoints(), '--etcd-certfile', file('client.crt')]);
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('needs both its certificate file and its key file') });
  const hosts = await cluster.cox(['up', '--name', cluster.name, '--nodes', '2', '--etcd-endpoints', endpoints()]);
  expect(hosts).toMatchObject({ code: 2, stderr: expect.stringContaining('is on loopback, which every host has of its own') });
  expect(existsSync(join(cluster.folder, 'state', cluster.name))).toBe(false);
});

test('the state is in that etcd, and stays there; without a quorum up says so', async () => {
  const name = `/registry/configmaps/default/kept`;
  expect(await up()).toMatchObject({ code: 0 });
  await cluster.kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
  expect(await etcdctl('get', name, '--keys-only')).toContain(name);
  expect(existsSync(cluster.config.paths.store)).toBe(false);
  await cluster.mustCox('down', '--name', cluster.name);

  const [first] = members;
  if (first) await stopMember(first);
  const refused = await up();
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('more than half of its members must run') });
  if (first) startMember(first);
  await eventually('etcd has a quorum again', () => etcdctl('endpoint', 'health'), 60_000);
  expect(await up()).toMatchObject({ code: 0 });
  expect((await cluster.json<{ data: Record<string, string> }>('configmap', 'kept')).data).toEqual({ a: 'b' });
});
