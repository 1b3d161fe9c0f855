import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, Service } from '@coxswain/api';
import { isRpcError } from '@coxswain/cri';
import { connectCsi, VolumeCapability_AccessMode_Mode as Mode } from '@coxswain/csi';
import { cloudProviderSuite } from '@coxswain/sdk-testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalCloud } from './local-cloud.js';
import { localCsiController } from './csi/local-csi.js';
import { AddressPool } from './network/address-pool.js';
import type { AddressCarrier } from './network/carrier.js';

/** A machine that only remembers. */
class Machine implements AddressCarrier {
  readonly carried = new Map<string, string[]>();
  refuses = false;
  async carry(address: string, nodes: readonly Node[]): Promise<void> {
    if (this.refuses) throw new Error('the machine is out of order');
    this.carried.set(
      address,
      nodes.map((n) => n.metadata.name ?? ''),
    );
  }
  async drop(address: string): Promise<void> {
    this.carried.delete(address);
  }
}

const nodeOf = (name: string, address: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: {},
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const nodes = [nodeOf('one', '192.0.2.1'), nodeOf('two', '192.0.2.2')] as const;
const service = (uid: string, spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: uid, namespace: 'default', uid },
  spec: { type: 'LoadBalancer', ...spec },
});

async function cloudIn(folder: string, machine = new Machine(), pool = '10.200.0.0/29'): Promise<LocalCloud> {
  const routes = new Set<string>();
  const cloud = new LocalCloud({
    folder,
    loadBalancerPool: pool,
    link: 'test-lb',
    carrier: machine,
    routeTable: {
      add: async (destination, gateway) => void routes.add(`${destination} ${gateway}`),
      remove: async (destination, gateway) => void routes.delete(`${destination} ${gateway}`),
      isOwnAddress: async () => false,
    },
  });
  for (const node of nodes) await cloud.registry.save({ name: node.metadata.name ?? '', addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] });
  return cloud;
}

cloudProviderSuite({
  name: 'cloud-local',
  async start() {
    const folder = await mkdtemp(join(tmpdir(), 'cox-cloud-'));
    const cloud = await cloudIn(folder);
    const signal = new AbortController().signal;
    return {
      cloud,
      nodes,
      removeInstance: (name) => cloud.registry.remove(name),
      async exhaustLoadBalancers() {
        const all = Array.from({ length: 6 }, (_, i) => service(`filler-${i}`));
        for (const s of all) await cloud.loadBalancers.ensure(s, []);
        return () => cloud.loadBalancers.ensureDeleted(all[0] as Service);
      },
      async stop() {
        for (const { id } of await cloud.volumes.list()) await cloud.volumes.delete(id);
        signal.throwIfAborted();
        await rm(folder, { recursive: true });
      },
    };
  },
});

describe('load balancers of the local cloud', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cox-cloud-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('say what is wrong when all addresses are taken, and with which Service one collides', async () => {
    const { loadBalancers } = await cloudIn(folder, new Machine(), '10.200.0.10-10.200.0.11');
    await loadBalancers.ensure(service('a'), nodes);
    await loadBalancers.ensure(service('b', { loadBalancerIP: '10.200.0.11' }), nodes);
    await expect(loadBalancers.ensure(service('c'), nodes)).rejects.toThrow(
      'no free address: all 2 of pool 10.200.0.10-10.200.0.11 are in use by other services of type LoadBalancer',
    );
    await expect(loadBalancers.ensure(service('c', { loadBalancerIP: '10.200.0.11' }), nodes)).rejects.toThrow(
      'spec.loadBalancerIP 10.200.0.11 is in use by service default/b',
    );
    await expect(loadBalancers.ensure(service('c', { loadBalancerIP: '10.9.9.9' }), nodes)).rejects.toThrow(/10.9.9.9 is not in this cloud's pool/);
  });

  test('a machine that refuses leaves an address that the same Service keeps and that its deletion frees', async () => {
    const machine = new Machine();
    const { loadBalancers } = await cloudIn(folder, machine);
    machine.refuses = true;
    await expect(loadBalancers.ensure(service('a'), nodes)).rejects.toThrow('the machine is out of order');
    expect(await loadBalancers.get(service('a'))).toEqual({ ingress: [{ ip: '10.200.0.1', ipMode: 'VIP' }] });
    machine.refuses = false;
    await loadBalancers.ensure(service('a'), nodes);
    expect([...machine.carried]).toEqual([['10.200.0.1', ['one', 'two']]]);
    await loadBalancers.ensureDeleted(service('a'));
    expect([...machine.carried]).toEqual([]);
    expect(await readdir(join(folder, 'load-balancers'))).toEqual([]);
  });

  test('another cloud object on the same folder knows what the first one gave', async () => {
    await (await cloudIn(folder)).loadBalancers.ensure(service('a'), nodes);
    const next = await cloudIn(folder);
    expect(await next.loadBalancers.get(service('a'))).toEqual({ ingress: [{ ip: '10.200.0.1', ipMode: 'VIP' }] });
    expect(await next.loadBalancers.ensure(service('b'), nodes)).toEqual({ ingress: [{ ip: '10.200.0.2', ipMode: 'VIP' }] });
  });

  test('a stopped machine is shut down, not gone; a record that is none is named', async () => {
    const { registry, instances } = await cloudIn(folder);
    await registry.save({ name: 'one', addresses: [], state: 'stopped' });
    expect(await instances.isShutdown(nodes[0])).toBe(true);
    expect(await instances.exists(nodes[0])).toBe(true);
    await expect(registry.save({ name: 'one', addresses: [{ type: 'Phone', address: '1' }] as never })).rejects.toThrow(/addresses: must be a list of/);
  });

  test('pools: networks without their ends, ranges with them, and nothing else', () => {
    expect(new AddressPool('10.0.0.0/30').size).toBe(2);
    expect(new AddressPool('10.0.0.5/32').free(new Set())).toBe('10.0.0.5');
    expect(new AddressPool('10.0.0.250-10.0.1.5').free(new Set(['10.0.0.250']))).toBe('10.0.0.251');
    for (const bad of ['10.0.0.1/24', '10.0.0.9-10.0.0.1', 'fd00::/64', '10.0.0.300-10.0.1.1', '']) expect(() => new AddressPool(bad), bad).toThrow();
  });
});

describe('disks of the local cloud over CSI', () => {
  const mount = (mode: Mode) => ({ accessMode: { mode }, accessType: { case: 'mount' as const, value: { fsType: 'ext4', mountFlags: [] } } });
  const writer = mount(Mode.SINGLE_NODE_WRITER);

  test('the controller service makes, attaches, grows and deletes them, with the codes of the specification', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cox-csi-'));
    const cloud = await cloudIn(folder);
    const endpoint = `unix://${folder}/c.sock`;
    const server = localCsiController(cloud, endpoint);
    await server.start(AbortSignal.timeout(5000));
    const { identity, controller, close } = connectCsi({ endpoint });
    const code = (work: Promise<unknown>) =>
      work.then(
        () => 'ok',
        (error: unknown) => (isRpcError(error) ? error.code : String(error)),
      );
    try {
      expect((await identity.getPluginInfo({})).name).toBe('local.csi.coxswain.dev');
      const ask = { name: 'pvc-1', capacityRange: { requiredBytes: 5_000_000n }, volumeCapabilities: [writer] };
      const { volume } = await controller.createVolume(ask);
      const volumeId = volume?.volumeId ?? '';
      expect(volume?.capacityBytes).toBe(5n * 1024n * 1024n);
      expect((await controller.createVolume(ask)).volume?.volumeId).toBe(volumeId);
      const file = await stat(cloud.volumes.path(volumeId));
      expect([file.size, file.blocks]).toEqual([5 * 1024 * 1024, 0]);
      expect(await code(controller.createVolume({ ...ask, capacityRange: { requiredBytes: 50_000_000n } }))).toBe('alreadyExists');
      expect(await code(controller.createVolume({ ...ask, name: 'pvc-2', volumeCapabilities: [mount(Mode.MULTI_NODE_MULTI_WRITER)] }))).toBe('invalidArgument');
      expect(await code(controller.createVolume({ ...ask, name: 'pvc-3', capacityRange: { requiredBytes: 1n << 60n } }))).toBe('resourceExhausted');
      expect(await code(controller.createVolume({ ...ask, name: 'pvc-4', parameters: { colour: 'red' } }))).toBe('invalidArgument');
      const { publishContext } = await controller.controllerPublishVolume({ volumeId, nodeId: 'one', volumeCapability: writer });
      expect(publishContext['devicePath']).toBe(cloud.volumes.path(volumeId));
      expect(await code(controller.controllerPublishVolume({ volumeId, nodeId: 'two', volumeCapability: writer }))).toBe('failedPrecondition');
      expect(await code(controller.controllerPublishVolume({ volumeId, nodeId: 'three', volumeCapability: writer }))).toBe('notFound');
      expect(await code(controller.deleteVolume({ volumeId }))).toBe('failedPrecondition');
      const listed = await controller.listVolumes({});
      expect(listed.entries.map((e) => e.status?.publishedNodeIds)).toEqual([['one']]);
      expect(await controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: 9_000_000n } })).toMatchObject({
        capacityBytes: 9n * 1024n * 1024n,
        nodeExpansionRequired: true,
      });
      await controller.controllerUnpublishVolume({ volumeId, nodeId: 'one' });
      await controller.controllerUnpublishVolume({ volumeId, nodeId: 'one' });
      await controller.deleteVolume({ volumeId });
      await controller.deleteVolume({ volumeId });
      expect(await readdir(join(folder, 'volumes'))).toEqual([]);
    } finally {
      close();
      await server.stop(AbortSignal.timeout(2000));
      await rm(folder, { recursive: true });
    }
  });
});
