import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@coxswain/sdk';
import { freePorts } from '@coxswain/sdk-testing';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveEtcdOnDemand } from './on-demand/index.js';

const run = promisify(execFile);
let dir: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'etcd-program-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const etcdctl = async (endpoint: string, ...args: string[]) =>
  (await run('etcdctl', ['--endpoints', endpoint, ...args], { env: { PATH: process.env['PATH'], ETCDCTL_API: '3' } })).stdout;

test('a socket that costs nothing before somebody comes', async () => {
  const store = await openLmdbStore({ path: join(dir, 'lazy'), clock: systemClock });
  const socket = join(dir, 'lazy.sock');
  const server = await serveEtcdOnDemand({ store, socket });
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  await expect(serveEtcdOnDemand({ store, socket })).rejects.toThrow('another server is listening on');
  // etcdctl 3.4 writes the path of a socket as an HTTP/2 authority, which Node refuses: through a port.
  const port = createServer((client) => {
    const inner = connect(socket);
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other);
  }).listen(0, '127.0.0.1');
  await once(port, 'listening');
  const endpoint = `127.0.0.1:${(port.address() as AddressInfo).port}`;
  expect(await etcdctl(endpoint, 'put', '/a', 'one')).toBe('OK\n');
  expect(await etcdctl(endpoint, 'get', '/', '--prefix')).toBe('/a\none\n');
  const watching = spawn('etcdctl', ['--endpoints', endpoint, 'watch', '/w'], { env: { PATH: process.env['PATH'], ETCDCTL_API: '3' } });
  children.push(watching);
  // It shows nothing before something happens: until then there are things to see.
  const seen = once(watching.stdout, 'data');
  const again = setInterval(() => void etcdctl(endpoint, 'put', '/w', 'now').catch(() => {}), 300);
  // On a busy machine it shows several of them at once.
  expect(String((await seen)[0])).toMatch(/^(PUT\n\/w\nnow\n)+$/);
  clearInterval(again);
  const ended = once(watching, 'exit');
  await server.close();
  expect(existsSync(socket)).toBe(false);
  watching.kill();
  await ended;
  port.close();
  await store.close();
});

test('the program takes the place of an etcd, and finds its data again', async () => {
  const { port, metrics } = await freePorts('port', 'metrics');
  const endpoint = `127.0.0.1:${port}`;
  const start = async () => {
    const bin = fileURLToPath(new URL('bin.ts', import.meta.url));
    const flags = [
      `--data-dir=${join(dir, 'data')}`,
      `--listen-client-urls=http://${endpoint}`,
      `--listen-metrics-urls=http://127.0.0.1:${metrics}`,
      '--name=one',
    ];
    const child = spawn(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', bin, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('"msg":"ready"')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${log}`)));
    });
    return child;
  };
  let etcd = await start();
  expect(await etcdctl(endpoint, 'put', '/kept', 'yes')).toBe('OK\n');
  expect(await etcdctl(endpoint, 'endpoint', 'health')).toBe('');
  expect(await (await fetch(`http://127.0.0.1:${metrics}/health`)).json()).toEqual({ health: 'true', reason: '' });
  etcd.removeAllListeners('exit');
  const killed = once(etcd, 'exit');
  etcd.kill('SIGKILL');
  await killed;
  etcd = await start();
  expect(await etcdctl(endpoint, 'get', '/kept', '--print-value-only')).toBe('yes\n');
  etcd.removeAllListeners('exit');
  const code = new Promise((resolve) => etcd.once('exit', resolve));
  etcd.kill('SIGTERM');
  expect(await code).toBe(0);
});
