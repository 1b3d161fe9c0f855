import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, Service } from '@coxswain/api';
import { createPinnedNamespaces, deletePinnedNamespaces, Network } from '@coxswain/linux';
import { systemClock } from '@coxswain/sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Forwarder, FORWARDER_PROTOCOL } from './forwarder.js';
import { ForwardingRecords } from './forwarding.js';
import { TargetHealth } from './health.js';

// The machine in front of the hosts is a network namespace of the test's own; hosts answer as `healthy` says.
const dir = mkdtempSync(join(tmpdir(), 'forwarder-'));
let network: Network;
let healthy = new Set<string>();
const records = new ForwardingRecords(dir);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const start = () =>
  new Forwarder({
    folder: dir,
    link: 'hosts',
    healthPort: 10256,
    clock: systemClock,
    logger: silent,
    network,
    health: new TargetHealth(async (host, port) => healthy.has(`${host}:${port}`)),
  });

const node = (address: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: address },
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const nodes = ['192.0.2.11', '192.0.2.12', '192.0.2.13'].map(node);
const service = (spec: Service['spec'] = {}): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec });
const all = (port = 10256) => new Set(nodes.map(({ metadata }) => `${metadata.name}:${port}`));
const routes = async () =>
  Object.fromEntries((await network.routes(4)).filter((r) => r.protocol === FORWARDER_PROTOCOL).map(({ destination, gateway }) => [destination, gateway]));

beforeAll(async () => {
  const { net = '' } = await createPinnedNamespaces({ dir: join(dir, 'ns'), kinds: ['net'] });
  network = new Network({ netns: net });
  await network.createBridge({ name: 'hosts', up: true });
  await network.addAddress('hosts', '192.0.2.1/24');
});
beforeEach(() => {
  healthy = all();
});
afterAll(async () => {
  await deletePinnedNamespaces(join(dir, 'ns'));
  rmSync(dir, { recursive: true, force: true });
});

test('an address leads to a healthy node and stays there while it is; when it fails, to another; when all fail, it stays', async () => {
  await records.carry('203.0.113.3', nodes, service());
  await records.carry('203.0.113.4', nodes, service());
  const forwarder = start();
  await forwarder.look();
  expect(await routes()).toEqual({ '203.0.113.3/32': '192.0.2.11', '203.0.113.4/32': '192.0.2.12' });
  healthy.delete('192.0.2.11:10256');
  await forwarder.look();
  // Once may be an accident.
  expect((await routes())['203.0.113.3/32']).toBe('192.0.2.11');
  await forwarder.look();
  const moved = (await routes())['203.0.113.3/32'];
  expect(['192.0.2.12', '192.0.2.13']).toContain(moved);
  healthy = all();
  await forwarder.look();
  expect((await routes())['203.0.113.3/32']).toBe(moved);
  healthy.clear();
  await forwarder.look();
  await forwarder.look();
  expect((await routes())['203.0.113.3/32']).toBe(moved);
});

test('with externalTrafficPolicy Local only nodes with endpoints take traffic', async () => {
  healthy.add('192.0.2.13:30999');
  await records.carry('203.0.113.3', nodes, service({ externalTrafficPolicy: 'Local', healthCheckNodePort: 30999 }));
  const forwarder = start();
  await forwarder.look();
  await forwarder.look();
  expect((await routes())['203.0.113.3/32']).toBe('192.0.2.13');
});

test('what a crash or a hand has left is put right: routes of addresses that are gone go, others are made again', async () => {
  await records.carry('203.0.113.3', nodes, service());
  await start().look();
  await records.drop('203.0.113.4');
  await network.deleteRoute({ destination: '203.0.113.3/32' });
  await network.addRoute({ destination: '203.0.113.9/32', gateway: '192.0.2.12' });
  await start().look();
  expect(await routes()).toEqual({ '203.0.113.3/32': '192.0.2.11' });
  expect((await network.routes(4)).some(({ destination }) => destination === '203.0.113.9/32')).toBe(true);
  await records.drop('203.0.113.3');
  await start().look();
  expect(await routes()).toEqual({});
});
