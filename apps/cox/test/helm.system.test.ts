import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterFixture, eventually, guestbook } from './cluster-fixture.js';

// Slow: boots a whole cluster; Helm waits for real pods.
const cluster = new ClusterFixture('t-helm');

beforeAll(async () => {
  await cluster.up();
  await cluster.loadGuestbook();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const replicas = () => cluster.kubectl('get', 'deployment', 'book-front', '-o', 'jsonpath={.spec.replicas}/{.status.readyReplicas}');

test('Helm installs, upgrades, rolls back and uninstalls the chart', async () => {
  const chart = `${guestbook}/chart`;
  await cluster.helm('install', 'book', chart, '--wait', '--timeout', '60s');
  expect(await replicas()).toBe('2/2');
  await cluster.helm('upgrade', 'book', chart, '--set', 'front.replicas=3', '--wait', '--timeout', '60s');
  expect(await replicas()).toBe('3/3');
  await cluster.helm('rollback', 'book', '1', '--wait', '--timeout', '60s');
  expect(await replicas()).toBe('2/2');
  expect(await cluster.helm('history', 'book')).toMatch(/Rollback to 1/);
  await cluster.helm('uninstall', 'book', '--wait', '--timeout', '60s');
  // Helm waits for what it made; the garbage collector removes what those made, pods after their grace.
  await eventually('everything is gone', async () => expect(await cluster.kubectl('get', 'all', '-l', 'release=book', '-o', 'name')).toBe(''), 60_000);
});
