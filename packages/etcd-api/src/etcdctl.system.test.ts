import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate } from '@coxswain/pki';
import { type StateStore, systemClock } from '@coxswain/sdk';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EtcdServer, serveEtcd } from './serve-etcd.js';

let dir: string;
let store: StateStore;
let server: EtcdServer;
const children: ChildProcess[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'etcd-api-ctl-'));
  store = await openLmdbStore({ path: join(dir, 'store'), clock: systemClock });
  server = await serveEtcd({ store, endpoint: 'http://127.0.0.1:0' });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await server.close();
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

function start(args: readonly string[], endpoint = server.endpoint) {
  const child = spawn('etcdctl', ['--endpoints', endpoint, ...args], { cwd: dir, env: { PATH: process.env.PATH, ETCDCTL_API: '3' } });
  children.push(child);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output.text += chunk));
  const done = new Promise<string>((resolve, reject) => {
    child.once('error', () => reject(new Error('etcdctl is missing: apt-get install etcd-client')));
    child.once('close', (code) => (code === 0 ? resolve(output.text) : reject(new Error(output.text))));
  });
  done.catch(() => {});
  return { child, output, done };
}

const etcdctl = (...args: string[]) => start(args).done;

test('put, get, del, with prefixes, limits, sorting, revisions and JSON', async () => {
  expect(await etcdctl('put', '/a/1', 'one')).toBe('OK\n');
  await etcdctl('put', '/a/2', 'two');
  await etcdctl('put', '/b', 'bee');
  expect(await etcdctl('put', '/a/1', 'uno', '--prev-kv')).toBe('OK\n/a/1\none\n');
  expect(await etcdctl('get', '/a/1')).toBe('/a/1\nuno\n');
  expect(await etcdctl('get', '/a/1', '--rev', '2')).toBe('/a/1\none\n');
  expect(await etcdctl('get', '/a/', '--prefix', '--keys-only')).toBe('/a/1\n\n/a/2\n\n');
  expect(await etcdctl('get', '/a/', '--prefix', '--print-value-only', '--sort-by', 'MODIFY', '--order', 'DESCEND', '--limit', '1')).toBe('uno\n');
  expect(await etcdctl('get', '', '--prefix', '--keys-only')).toBe('/a/1\n\n/a/2\n\n/b\n\n');
  expect(await etcdctl('get', '/a/2', '--from-key', '--print-value-only')).toBe('two\nbee\n');
  const json = JSON.parse(await etcdctl('get', '/a/1', '-w', 'json'));
  expect(json).toMatchObject({ header: { revision: 5 }, count: 1, kvs: [{ create_revision: 2, mod_revision: 5, version: 2 }] });
  await etcdctl('put', '/a/2', '--ignore-value', '--lease', '0');
  expect(await etcdctl('get', '/a/2', '--print-value-only')).toBe('two\n');
  await expect(etcdctl('put', '/nothing', '--ignore-value')).rejects.toThrow('etcdserver: key not found');
  expect(await etcdctl('del', '/a/', '--prefix')).toBe('2\n');
  await expect(etcdctl('get', '/a/1', '--rev', '99')).rejects.toThrow('required revision is a future revision');
});

test('txn: what compares runs success, else failure', async () => {
  await etcdctl('put', '/n', '1');
  const txn = (text: string) => {
    const run = start(['txn']);
    run.child.stdin?.end(text);
    return run.done;
  };
  expect(await txn('val("/n") = "1"\nver("/n") > "0"\n\nput /n 2\nget /n\n\nget /other\n\n')).toBe('SUCCESS\n\nOK\n\n/n\n2\n');
  expect(await txn('mod("/n") = "1"\n\nput /n 3\n\nget /n\n\n')).toBe('FAILURE\n\n/n\n2\n');
  await expect(txn('\nput /n 4\nput /n 5\n\n\n')).rejects.toThrow('duplicate key given in txn request');
});

test('watch: history, then live, with previous values; the same client sees deletes; compacted history is refused', async () => {
  await etcdctl('put', '/w/1', 'a');
  await etcdctl('put', '/w/1', 'b');
  const watch = start(['watch', '/w/', '--prefix', '--rev', '2', '--prev-kv']);
  await expect.poll(() => watch.output.text, { timeout: 10_000 }).toBe('PUT\n/w/1\na\nPUT\n/w/1\na\n/w/1\nb\n');
  await etcdctl('put', '/other', 'x');
  await etcdctl('del', '/w/1');
  await expect.poll(() => watch.output.text, { timeout: 10_000 }).toMatch(/DELETE\n\/w\/1\nb\n\/w\/1\n\n$/);
  expect(watch.output.text).not.toContain('other');

  expect(await etcdctl('compact', '4')).toBe('compacted revision 4\n');
  await expect(etcdctl('compact', '4')).rejects.toThrow('required revision has been compacted');
  await expect(etcdctl('get', '/w/1', '--rev', '3')).rejects.toThrow('required revision has been compacted');
  await expect(etcdctl('watch', '/w/', '--prefix', '--rev', '2')).rejects.toThrow(/compacted/);
});

test('leases: grant, attach, list, keep alive, revoke; a key goes with its lease', async () => {
  const granted = await etcdctl('lease', 'grant', '30');
  const id = /lease (\w+) granted with TTL\(30s\)/.exec(granted)?.[1] as string;
  await etcdctl('put', '/l', 'x', '--lease', id);
  expect(await etcdctl('lease', 'list')).toContain(id);
  expect(await etcdctl('lease', 'timetolive', id, '--keys')).toMatch(
    new RegExp(`lease ${id} granted with TTL\\(30s\\), remaining\\(\\d+s\\), attached keys\\(\\[/l\\]\\)`),
  );
  expect(await etcdctl('lease', 'keep-alive', '--once', id)).toBe(`lease ${id} keepalived with TTL(30)\n`);
  expect(await etcdctl('lease', 'revoke', id)).toBe(`lease ${id} revoked\n`);
  expect(await etcdctl('get', '/l')).toBe('');
  await expect(etcdctl('lease', 'revoke', id)).rejects.toThrow('requested lease not found');
  await expect(etcdctl('put', '/l', 'x', '--lease', id)).rejects.toThrow('requested lease not found');
  expect(await etcdctl('lease', 'timetolive', id)).toContain('already expired');
});

test('endpoint status and health, member list, defrag, alarms', async () => {
  await etcdctl('put', '/a', 'x');
  // etcdctl 3.4 sends the scheme of the endpoint as part of the HTTP/2 authority here, which Node's HTTP/2 refuses.
  const endpoint = server.endpoint.replace('http://', '');
  const [status] = JSON.parse(await start(['endpoint', 'status', '-w', 'json'], endpoint).done);
  expect(status).toMatchObject({ Endpoint: endpoint, Status: { header: { revision: 2 }, version: '3.5.0', raftTerm: 1 } });
  expect(status.Status.dbSize).toBeGreaterThan(0);
  expect(status.Status.leader).toBe(status.Status.header.member_id);
  expect(await etcdctl('endpoint', 'health')).toContain('is healthy');
  expect(await etcdctl('member', 'list')).toContain(server.endpoint);
  expect(await start(['defrag'], endpoint).done).toContain('Finished defragmenting');
  expect(await etcdctl('alarm', 'list')).toBe('');
  await expect(etcdctl('move-leader', '1')).rejects.toThrow();
});

test('a saved snapshot is a store', async () => {
  await etcdctl('put', '/a', 'kept');
  const file = join(dir, 'snapshot.db');
  expect(await etcdctl('snapshot', 'save', file)).toContain('Snapshot saved');
  await mkdir(join(dir, 'restored'));
  await copyFile(file, join(dir, 'restored', 'store.mdb'));
  const restored = await openLmdbStore({ path: join(dir, 'restored'), clock: systemClock });
  const { kvs } = await restored.range({ key: '/a' });
  await restored.close();
  expect(Buffer.from(kvs[0]?.value ?? []).toString()).toBe('kept');
});

test('on a unix socket, for its owner only; and with client certificates', async () => {
  const socket = join(dir, 'etcd.sock');
  const local = await serveEtcd({ store, endpoint: `unix://${socket}` });
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(await start(['put', '/u', 'x'], 'unix://etcd.sock').done).toBe('OK\n');
  await expect(serveEtcd({ store, endpoint: `unix://${socket}` })).rejects.toThrow('another server is listening');
  await local.close();
  expect(statSync(socket, { throwIfNoEntry: false })).toBeUndefined();

  await expect(serveEtcd({ store, endpoint: 'http://0.0.0.0:0' })).rejects.toThrow('open to others');
  const now = systemClock.now();
  const ca = await createCa('ca', now, 3_600_000);
  const issue = (usage: 'server' | 'client') =>
    issueCertificate(ca, { usage, subject: { commonName: usage }, ipAddresses: ['127.0.0.1'], now, validForMs: 3_600_000 });
  const client = await issue('client');
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const secure = await serveEtcd({ store, endpoint: 'https://127.0.0.1:0', tls: { ...(await issue('server')), clientCa: ca.cert } });
  const flags = ['--cacert', file('ca.crt', ca.cert), '--cert', file('c.crt', client.cert), '--key', file('c.key', client.key)];
  expect(await start([...flags, 'get', '/u', '--print-value-only'], secure.endpoint).done).toBe('x\n');
  await expect(start([...flags.slice(0, 2), '--dial-timeout', '1s', '--command-timeout', '1s', 'get', '/u'], secure.endpoint).done).rejects.toThrow();
  await secure.close();
});
