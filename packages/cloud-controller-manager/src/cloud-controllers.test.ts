import type { Node, Service } from '@coxswain/api';
import { startTestServer, type TestServer } from '@coxswain/apiserver/testing';
import type { KubeClient } from '@coxswain/client';
import { type CloudProvider, type InstanceMetadata, type LoadBalancerStatus, type Route, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CloudControllerManager } from './cloud-controller-manager.js';

// The real API server; the cloud is played, and can be told to refuse.
const base = { clock: systemClock, random: systemRandom, logger: silentLogger };
const soon = { timeout: 30_000, interval: 20 };

class PlayedCloud implements CloudProvider {
  readonly name = 'played';
  readonly machines = new Map<string, InstanceMetadata & { readonly off?: boolean }>();
  readonly balancers = new Map<string, { readonly status: LoadBalancerStatus; nodes: string[] }>();
  readonly routing = new Map<string, Route>();
  refuses: string | undefined;

  readonly instances = {
    exists: async (node: Node) => this.machines.has(node.metadata.name ?? ''),
    isShutdown: async (node: Node) => this.machines.get(node.metadata.name ?? '')?.off ?? false,
    metadata: async (node: Node) => this.machines.get(node.metadata.name ?? ''),
  };
  readonly loadBalancers = {
    get: async (s: Service) => this.balancers.get(s.metadata.uid ?? '')?.status,
    ensure: async (s: Service, nodes: readonly Node[]) => {
      if (this.refuses) throw new Error(this.refuses);
      const found = this.balancers.get(s.metadata.uid ?? '');
      const status: LoadBalancerStatus = found?.status ?? { ingress: [{ ip: `203.0.113.${this.balancers.size + 1}`, ipMode: 'VIP' }] };
      this.balancers.set(s.metadata.uid ?? '', { status, nodes: nodes.map((n) => n.metadata.name ?? '') });
      return status;
    },
    ensureDeleted: async (s: Service) => {
      if (this.refuses) throw new Error(this.refuses);
      this.balancers.delete(s.metadata.uid ?? '');
    },
  };
  readonly routes = {
    list: async () => [...this.routing.values()],
    create: async (route: Route) => void this.routing.set(route.destinationCIDR, route),
    delete: async (route: Route) => void this.routing.delete(route.destinationCIDR),
  };
}

const cloud = new PlayedCloud();
let server: TestServer;
let client: KubeClient;
let manager: CloudControllerManager;

beforeAll(async () => {
  server = await startTestServer();
  client = server.clientAs('admin', 'system:masters');
  await client.api.namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } });
  const config = { allocateNodeCidrs: true, clusterCidrs: ['10.244.0.0/16'], nodeMonitorPeriod: 1 };
  manager = new CloudControllerManager({ ...base, cloud, client, config });
  await manager.start(AbortSignal.timeout(10_000));
});

afterAll(async () => {
  await manager.stop(AbortSignal.timeout(2000));
  await server[Symbol.asyncDispose]();
});

const TAINT = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' };

async function addNode(name: string, podCIDR: string, address: string): Promise<void> {
  await client.api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { taints: [TAINT], podCIDR, podCIDRs: [podCIDR] } });
  await setReady(name, 'True');
  cloud.machines.set(name, {
    providerId: `played://${name}`,
    instanceType: 'm1.tiny',
    zone: 'here-1',
    region: 'here',
    addresses: [{ type: 'InternalIP', address }],
  });
}

async function setReady(name: string, status: string): Promise<void> {
  const time = new Date().toISOString();
  const condition = { type: 'Ready', status, reason: 'Test', message: '', lastHeartbeatTime: time, lastTransitionTime: time };
  await client.api.nodes().patch(name, 'strategic', { status: { conditions: [condition] } }, { subresource: 'status' });
}

const node = (name: string) => client.api.nodes().get(name);
const service = (name: string) => client.api.services('app').get(name);
const addService = (name: string, spec: object = {}) =>
  client.api
    .services('app')
    .create({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80 }], ...spec } });
const reasons = async (name: string) =>
  (await client.api.events('app').list()).items.filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`);

it('initialises new nodes: provider id, labels and addresses; the taint goes; a pod network has its route', async () => {
  await addNode('one', '10.244.0.0/24', '192.0.2.1');
  await addNode('two', '10.244.1.0/24', '192.0.2.2');
  await vi.waitFor(async () => {
    const one = await node('one');
    expect(one.spec).toMatchObject({ providerID: 'played://one' });
    expect(one.spec?.taints ?? []).not.toContainEqual(expect.objectContaining({ key: TAINT.key }));
    expect(one.metadata.labels).toMatchObject({
      'node.kubernetes.io/instance-type': 'm1.tiny',
      'topology.kubernetes.io/zone': 'here-1',
      'topology.kubernetes.io/region': 'here',
    });
    expect(one.status?.addresses).toEqual([{ type: 'InternalIP', address: '192.0.2.1' }]);
    expect(one.status?.conditions).toContainEqual(expect.objectContaining({ type: 'NetworkUnavailable', status: 'False', reason: 'RouteCreated' }));
    expect([...cloud.routing.values()].map((r) => `${r.destinationCIDR} ${r.targetNode} ${r.targetAddresses?.join()}`).sort()).toEqual([
      '10.244.0.0/24 one 192.0.2.1',
      '10.244.1.0/24 two 192.0.2.2',
    ]);
  }, soon);
});

it('a node the cloud does not know keeps its taint', async () => {
  await client.api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'stranger' }, spec: { taints: [TAINT] } });
  await setReady('stranger', 'True');
  // Long after the others were done: a node added later is initialised, this one is not.
  await addNode('three', '10.244.2.0/24', '192.0.2.3');
  await vi.waitFor(async () => expect((await node('three')).spec?.providerID).toBe('played://three'), soon);
  expect((await node('stranger')).spec?.taints).toContainEqual(expect.objectContaining({ key: TAINT.key }));
  await client.api.nodes().delete('stranger');
});

it('a machine that is off marks its node; one that is gone takes its node and its route along; a node by hand stays', async () => {
  await client.api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'by-hand' } });
  await setReady('by-hand', 'Unknown');
  const three = cloud.machines.get('three');
  if (three) cloud.machines.set('three', { ...three, off: true });
  await setReady('three', 'Unknown');
  const shutdown = expect.objectContaining({ key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' });
  await vi.waitFor(async () => expect((await node('three')).spec?.taints).toContainEqual(shutdown), soon);
  cloud.machines.delete('three');
  await vi.waitFor(async () => {
    expect((await client.api.nodes().list()).items.map((n) => n.metadata.name)).toEqual(['by-hand', 'one', 'two']);
    expect([...cloud.routing.keys()].sort()).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
  }, soon);
  await client.api.nodes().delete('by-hand');
});

it('a load balancer: finalizer, status, events; it follows the set of nodes; it goes with the Service', async () => {
  await addService('web');
  await vi.waitFor(async () => expect((await service('web')).status?.loadBalancer?.ingress).toEqual([{ ip: '203.0.113.1', ipMode: 'VIP' }]), soon);
  expect((await service('web')).metadata.finalizers).toEqual(['service.kubernetes.io/load-balancer-cleanup']);
  await vi.waitFor(
    async () =>
      expect(await reasons('web')).toEqual(
        expect.arrayContaining(['EnsuringLoadBalancer: Ensuring load balancer', 'EnsuredLoadBalancer: Ensured load balancer']),
      ),
    soon,
  );
  const targets = () => [...cloud.balancers.values()].map((b) => b.nodes);
  expect(targets()).toEqual([['one', 'two']]);
  await client.api.nodes().patch('two', 'merge', { metadata: { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } } });
  await vi.waitFor(async () => {
    expect(targets()).toEqual([['one']]);
    expect(await reasons('web')).toContain('UpdatedLoadBalancer: Updated load balancer with new hosts');
  }, soon);
  await client.api.services('app').patch('web', 'merge', { spec: { loadBalancerSourceRanges: ['192.0.2.0/24'] } });
  await vi.waitFor(async () => expect(await reasons('web')).toContain('LoadBalancerSourceRanges: [] -> [192.0.2.0/24]'), soon);
  await client.api.services('app').delete('web');
  await vi.waitFor(async () => {
    expect(cloud.balancers.size).toBe(0);
    expect((await client.api.services('app').list()).items).toEqual([]);
  }, soon);
});

it("a Service with a class is somebody else's; one that becomes a ClusterIP loses its load balancer and its finalizer", async () => {
  await addService('theirs', { loadBalancerClass: 'example.com/other' });
  await addService('mine');
  await vi.waitFor(async () => expect((await service('mine')).status?.loadBalancer?.ingress).toHaveLength(1), soon);
  expect((await service('theirs')).metadata.finalizers).toBeUndefined();
  expect(cloud.balancers.size).toBe(1);
  await client.api.services('app').patch('mine', 'merge', { spec: { type: 'ClusterIP' } });
  await vi.waitFor(async () => {
    expect(cloud.balancers.size).toBe(0);
    const mine = await service('mine');
    expect(mine.metadata.finalizers).toBeUndefined();
    expect(mine.status?.loadBalancer?.ingress).toBeUndefined();
    expect(await reasons('mine')).toContain('Type: LoadBalancer -> ClusterIP');
  }, soon);
});

it('a cloud that refuses is told of; when it gives in again, nothing was lost', async () => {
  cloud.refuses = 'quota exceeded';
  await addService('refused');
  await vi.waitFor(
    async () =>
      expect(await reasons('refused')).toContain('SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: quota exceeded'),
    soon,
  );
  expect((await service('refused')).status?.loadBalancer?.ingress).toBeUndefined();
  cloud.refuses = undefined;
  // A change is looked at at once; the back-off alone would take seconds.
  await client.api.services('app').patch('refused', 'merge', { metadata: { annotations: { again: 'now' } } });
  await vi.waitFor(async () => expect((await service('refused')).status?.loadBalancer?.ingress).toHaveLength(1), soon);
  await client.api.services('app').delete('refused');
  await vi.waitFor(() => expect(cloud.balancers.size).toBe(0), soon);
});

it('refuses to look for controllers nobody knows', () => {
  expect(() => new CloudControllerManager({ ...base, cloud, client, config: { controllers: ['*', '-nonsense'] } })).toThrow(
    /"nonsense" is not in the list of known controllers/,
  );
});
