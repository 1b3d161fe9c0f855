import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod, ResourceClaim, ResourceSlice } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import { DRA_PLUGIN, serveDra, type DraDriver, type PreparedDevice } from '@coxswain/dra';
import { silentLogger, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PluginWatcher } from '../plugin-watcher.js';
import { ClaimRecords } from './claim-records.js';
import { DraDrivers } from './dra-drivers.js';
import { DraManager } from './dra-manager.js';

const DRIVER = 'leds.example.com';
const { signal } = new AbortController();
const soon = { timeout: 30_000, interval: 20 };
let dir: string;
let claims: Map<string, ResourceClaim>;
let slices: ResourceSlice[];
let calls: string[];
let driver: DraDriver;
let stop: AbortController;
let drivers: DraDrivers;
let watching: Promise<void>;
let client: KubeClient;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dra-'));
  claims = new Map();
  slices = [];
  calls = [];
  driver = {
    async prepare({ name, uid }) {
      calls.push(`prepare ${name} ${uid}`);
      const devices: PreparedDevice[] = [
        { pool: 'n', device: 'red', requests: ['color'], cdiDevices: ['leds.example.com/led=red'] },
        { pool: 'n', device: 'all', cdiDevices: ['leds.example.com/led=all'] },
      ];
      return devices;
    },
    async unprepare({ name }) {
      calls.push(`unprepare ${name}`);
    },
  };
  client = {
    api: {
      resourceClaims: () => ({
        get: async (name: string) => {
          const found = claims.get(name);
          if (!found) throw new Error(`resourceclaims.resource.k8s.io "${name}" not found`);
          return found;
        },
      }),
      resourceSlices: () => ({
        list: async () => ({ items: slices }),
        deleteCollection: async (_: object, { fieldSelector }: { fieldSelector: string }) => calls.push(`delete slices ${fieldSelector}`),
      }),
    },
  } as unknown as KubeClient;
  stop = new AbortController();
  drivers = new DraDrivers({ client, clock: systemClock, logger: silentLogger, nodeName: 'n', wipeAfterMs: 50, changed: () => calls.push('changed') });
  watching = new PluginWatcher(join(dir, 'registry'), { [DRA_PLUGIN]: drivers }, systemClock, silentLogger).run(stop.signal);
});

afterEach(async () => {
  stop.abort();
  await watching;
  drivers.close();
  await rm(dir, { recursive: true, force: true });
});

const serve = () =>
  serveDra({
    name: DRIVER,
    driver: { prepare: (claim) => driver.prepare(claim), unprepare: (claim) => driver.unprepare(claim) },
    endpoint: `unix://${dir}/dra.sock`,
    registration: `unix://${dir}/registry/${DRIVER}-reg.sock`,
  });

function claim(name: string, ...podUids: string[]): ResourceClaim {
  const made: ResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {},
    status: {
      allocation: { devices: { results: [{ request: 'color', driver: DRIVER, pool: 'n', device: 'red' }] } },
      reservedFor: podUids.map((uid) => ({ resource: 'pods', name: uid, uid })),
    },
  };
  claims.set(name, made);
  return made;
}

const pod = (uid: string, resourceClaimName = 'led') =>
  ({ metadata: { name: uid, namespace: 'default', uid }, spec: { containers: [], resourceClaims: [{ name: 'led', resourceClaimName }] } }) as unknown as Pod;
const container = (request?: string) => ({ name: 'c', resources: { claims: [{ name: 'led', ...(request ? { request } : {}) }] } });

async function manager(): Promise<DraManager> {
  const records = new ClaimRecords(join(dir, 'dra_claims.json'));
  await records.load();
  return new DraManager({ client, drivers, records });
}

it('asks the driver once for all pods of a claim, and gives the devices back with the last, over a restart', async () => {
  await using server = disposing(await serve());
  await vi.waitFor(() => expect(calls).toEqual(['changed']), soon);
  claim('led', 'p1', 'p2');
  const first = await manager();
  await first.prepare(pod('p1'), signal);
  await first.prepare(pod('p1'), signal);
  await first.prepare(pod('p2'), signal);
  expect(calls.slice(1)).toEqual(['prepare led uid-led']);
  expect(first.devicesOf(pod('p1'), container())).toEqual(['leds.example.com/led=red', 'leds.example.com/led=all']);
  expect(first.devicesOf(pod('p1'), container('color'))).toEqual(['leds.example.com/led=red', 'leds.example.com/led=all']);
  expect(first.devicesOf(pod('p1'), container('other'))).toEqual(['leds.example.com/led=all']);
  const second = await manager();
  expect(second.devicesOf(pod('p2'), container('color'))).toContain('leds.example.com/led=red');
  expect([...second.pods()].sort()).toEqual(['p1', 'p2']);
  await second.unprepare('p1', signal);
  expect(calls).toHaveLength(2);
  await second.unprepare('p2', signal);
  await second.unprepare('p2', signal);
  expect(calls.slice(2)).toEqual(['unprepare led']);
  expect((await manager()).pods().size).toBe(0);
  expect(server).toBeDefined();
});

it('devices of extended resources go to the containers that the scheduler has noted, from a claim that is the pod’s own', async () => {
  await using server = disposing(await serve());
  await vi.waitFor(() => expect(calls).toEqual(['changed']), soon);
  const owned = claim('p1-extended-resources-x', 'p1');
  const asking = {
    metadata: { name: 'p1', namespace: 'default', uid: 'p1' },
    spec: { containers: [] },
    status: {
      extendedResourceClaimStatus: {
        resourceClaimName: owned.metadata.name,
        requestMappings: [
          { containerName: 'c', resourceName: 'example.com/led', requestName: 'color' },
          { containerName: 'd', resourceName: 'example.com/led', requestName: 'other' },
        ],
      },
    },
  } as unknown as Pod;
  const dra = await manager();
  await expect(dra.prepare(asking, signal)).rejects.toThrow('was not created for pod default/p1 (pod is not owner)');
  claims.set(owned.metadata.name ?? '', {
    ...owned,
    metadata: { ...owned.metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p1', uid: 'p1', controller: true }] },
  });
  await dra.prepare(asking, signal);
  expect(dra.devicesOf(asking, { name: 'c' })).toEqual(['leds.example.com/led=red', 'leds.example.com/led=all']);
  expect(dra.devicesOf(asking, { name: 'd' })).toEqual(['leds.example.com/led=all']);
  expect(dra.devicesOf(asking, { name: 'e' })).toEqual([]);
  await dra.unprepare('p1', signal);
  expect(calls.at(-1)).toBe('unprepare p1-extended-resources-x');
  expect(server).toBeDefined();
});

it('what was begun and failed is undone, too, and again until it works', async () => {
  await using server = disposing(await serve());
  await vi.waitFor(() => expect(calls).toEqual(['changed']), soon);
  claim('led', 'p');
  const { prepare, unprepare } = driver;
  driver = { ...driver, prepare: () => Promise.reject(new Error('no light')) };
  const dra = await manager();
  await expect(dra.prepare(pod('p'), signal)).rejects.toThrow('NodePrepareResources failed for ResourceClaim led: no light');
  driver = { prepare, unprepare: () => Promise.reject(new Error('still lit')) };
  const next = await manager();
  await expect(next.unprepare('p', signal)).rejects.toThrow('NodeUnprepareResources failed for ResourceClaim led: still lit');
  driver = { prepare, unprepare };
  await next.unprepare('p', signal);
  expect(calls.slice(1)).toEqual(['unprepare led']);
  expect(server).toBeDefined();
});

it('pods that may not use a claim, claims without devices and drivers that are not there are errors', async () => {
  const dra = await manager();
  await expect(dra.prepare(pod('p'), signal)).rejects.toThrow('"led" not found');
  const made = claim('led', 'other');
  await expect(dra.prepare(pod('p'), signal)).rejects.toThrow('pod p(p) is not allowed to use resource claim led(uid-led)');
  made.status = { reservedFor: [{ resource: 'pods', name: 'p', uid: 'p' }] };
  await expect(dra.prepare(pod('p'), signal)).rejects.toThrow('resource claim led is not allocated');
  claim('led', 'p');
  await expect(dra.prepare(pod('p'), signal)).rejects.toThrow(`DRA driver ${DRIVER} is not registered`);
  const generated = { ...pod('p'), spec: { containers: [], resourceClaims: [{ name: 'led', resourceClaimTemplateName: 't' }] } } as unknown as Pod;
  await expect(dra.prepare(generated, signal)).rejects.toThrow('ResourceClaim not created yet');
});

it('a driver that goes takes its devices along, one that comes back in time keeps them', async () => {
  const server = await serve();
  await vi.waitFor(() => expect(calls).toEqual(['changed']), soon);
  await server.close();
  await vi.waitFor(() => expect(calls).toContain(`delete slices spec.driver=${DRIVER},spec.nodeName=n`), soon);
  expect(() => drivers.get(DRIVER)).toThrow('is not registered');
  slices = [
    { metadata: { name: 's' }, spec: { driver: 'former.example.com' } },
    { metadata: { name: 't' }, spec: { driver: DRIVER } },
  ] as ResourceSlice[];
  await using again = disposing(await serve());
  await vi.waitFor(() => expect(drivers.get(DRIVER)).toBeDefined(), soon);
  const before = calls.length;
  await drivers.wipeForgotten(signal);
  expect(calls.slice(before)).toEqual(['delete slices spec.driver=former.example.com,spec.nodeName=n']);
  expect(again).toBeDefined();
});

it('a driver that was killed and started again is taken again, though its socket was never seen missing', async () => {
  const first = await serve();
  await vi.waitFor(() => expect(calls).toEqual(['changed']), soon);
  const socket = join(dir, 'registry', `${DRIVER}-reg.sock`);
  await rename(socket, join(dir, 'away'));
  const statuses: boolean[] = [];
  const second = await serveDra({
    name: DRIVER,
    driver,
    endpoint: `unix://${dir}/second.sock`,
    registration: `unix://${dir}/second-reg.sock`,
    onStatus: ({ registered }) => statuses.push(registered),
  });
  await rename(join(dir, 'away'), socket);
  await rename(join(dir, 'second-reg.sock'), socket);
  await vi.waitFor(() => expect(statuses).toContain(true), soon);
  await second.close();
  await first.close();
});

it('plugins that speak no version of ours are told so', async () => {
  const info = { type: DRA_PLUGIN, name: DRIVER, endpoint: '/x', supportedVersions: ['v1beta1.DRAPlugin'] };
  await expect(drivers.register(info as never)).rejects.toThrow(`driver ${DRIVER} supports v1beta1.DRAPlugin; this kubelet needs v1.DRAPlugin`);
});

it('a damaged record is not taken for an empty one', async () => {
  const file = join(dir, 'dra_claims.json');
  await writeFile(file, '{"version":1,"cla');
  await expect(manager()).rejects.toThrow('is not JSON: remove it once no pod with resource claims runs on this node');
  await writeFile(file, '{"version":2}');
  await expect(manager()).rejects.toThrow('has version 2, this kubelet knows 1');
  expect(await readFile(file, 'utf8')).toBe('{"version":2}');
});

const disposing = (server: { close(): Promise<void> }) => ({ [Symbol.asyncDispose]: () => server.close() });
