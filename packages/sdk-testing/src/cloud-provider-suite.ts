import type { Node, Service } from '@coxswain/api';
import { type CloudProvider, VolumeConflictError, VolumeInUseError, VolumeNotFoundError } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface CloudUnderTest {
  readonly cloud: CloudProvider;
  /** Two machines the cloud knows, running, as their nodes look before anybody initialised them. */
  readonly nodes: readonly [Node, Node];
  /** Makes the cloud forget a machine, as when it is deleted. The suite calls it last. */
  removeInstance?(name: string): Promise<void>;
  /** Makes the cloud unable to give one more load balancer; resolves with the undo. Absent: not tried. */
  exhaustLoadBalancers?(): Promise<() => Promise<void>>;
  stop?(): Promise<void>;
}

export interface CloudProviderSuiteOptions {
  readonly name?: string;
  start(): Promise<CloudUnderTest>;
}

const signal = new AbortController().signal;
const MiB = 1024 * 1024;

const serviceOf = (uid: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `svc-${uid}`, namespace: 'default', uid },
  spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ports: [{ port: 80, nodePort: 30080 }], selector: { app: 'web' } },
});

/** Conformance of a cloud: the contracts written on `CloudProvider`, for the parts it offers. */
export function cloudProviderSuite(options: CloudProviderSuiteOptions): void {
  describe(`cloud provider: ${options.name ?? 'cloud'}`, () => {
    let under: CloudUnderTest;
    beforeAll(async () => {
      under = await options.start();
    });
    afterAll(async () => {
      await under.stop?.();
    });

    it('has a name that can be the scheme of a provider id', () => {
      expect(under.cloud.name).toMatch(/^[a-z][a-z0-9+.-]*$/);
    });

    it('instances: knows its machines, by name and by provider id', async () => {
      const { instances, name } = under.cloud;
      if (!instances) return;
      for (const node of under.nodes) {
        expect(await instances.exists(node, signal)).toBe(true);
        expect(await instances.isShutdown(node, signal)).toBe(false);
        const metadata = await instances.metadata(node, signal);
        expect(metadata?.providerId.startsWith(`${name}://`)).toBe(true);
        expect(metadata?.addresses.length).toBeGreaterThan(0);
        const initialised: Node = { ...node, spec: { ...node.spec, providerID: metadata?.providerId ?? '' } };
        expect(await instances.exists(initialised, signal)).toBe(true);
        expect((await instances.metadata(initialised, signal))?.providerId).toBe(metadata?.providerId);
      }
    });

    it('instances: a machine it does not know does not exist and has no metadata', async () => {
      const { instances, name } = under.cloud;
      if (!instances) return;
      const stranger: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'nobody' }, spec: {} };
      expect(await instances.exists(stranger, signal)).toBe(false);
      expect(await instances.metadata(stranger, signal)).toBeUndefined();
      const elsewhere: Node = { ...under.nodes[0], spec: { providerID: `not-${name}://${under.nodes[0].metadata.name}` } };
      expect(await instances.exists(elsewhere, signal)).toBe(false);
    });

    it('load balancers: ensure is idempotent, get finds it, ensureDeleted takes it away and may be repeated', async () => {
      const { loadBalancers } = under.cloud;
      if (!loadBalancers) return;
      const service = serviceOf('lb-1');
      expect(await loadBalancers.get(service, signal)).toBeUndefined();
      const first = await loadBalancers.ensure(service, under.nodes, signal);
      expect(first.ingress.length).toBeGreaterThan(0);
      expect(await loadBalancers.ensure(service, [under.nodes[1]], signal)).toEqual(first);
      expect(await loadBalancers.get(service, signal)).toEqual(first);
      await loadBalancers.ensureDeleted(service, signal);
      await loadBalancers.ensureDeleted(service, signal);
      expect(await loadBalancers.get(service, signal)).toBeUndefined();
    });

    it('load balancers: each Service has its own, also when they come at once; without nodes, too', async () => {
      const { loadBalancers } = under.cloud;
      if (!loadBalancers) return;
      const services = ['a', 'b', 'c'].map((id) => serviceOf(`lb-many-${id}`));
      const all = await Promise.all(services.map((s) => loadBalancers.ensure(s, [], signal)));
      expect(new Set(all.map((status) => JSON.stringify(status.ingress))).size).toBe(3);
      await Promise.all(services.map((s) => loadBalancers.ensureDeleted(s, signal)));
    });

    it('load balancers: a refusal leaves nothing behind, and is over when its cause is', async () => {
      const { loadBalancers } = under.cloud;
      const undo = await under.exhaustLoadBalancers?.();
      if (!loadBalancers || !undo) return;
      const service = serviceOf('lb-refused');
      await expect(loadBalancers.ensure(service, under.nodes, signal)).rejects.toThrow(/\S/);
      expect(await loadBalancers.get(service, signal)).toBeUndefined();
      await undo();
      expect((await loadBalancers.ensure(service, under.nodes, signal)).ingress.length).toBeGreaterThan(0);
      await loadBalancers.ensureDeleted(service, signal);
    });

    it('routes: create and delete are idempotent, list tells what there is', async () => {
      const { routes } = under.cloud;
      if (!routes) return;
      const [node] = under.nodes;
      const targetAddresses = (node.status?.addresses ?? []).filter((a) => a.type === 'InternalIP').map((a) => a.address);
      const route = { name: 'hint', targetNode: node.metadata.name ?? '', destinationCIDR: '198.51.100.0/26', targetAddresses };
      const mine = async () => (await routes.list(signal)).filter((r) => r.destinationCIDR === route.destinationCIDR);
      await routes.create(route, signal);
      await routes.create(route, signal);
      const [made, ...more] = await mine();
      expect(more).toEqual([]);
      expect(made).toMatchObject({ targetNode: route.targetNode });
      if (made) await routes.delete(made, signal);
      if (made) await routes.delete(made, signal);
      expect(await mine()).toEqual([]);
    });

    it('volumes: create is idempotent by name; the same name for more space is a conflict', async () => {
      const { volumes } = under.cloud;
      if (!volumes) return;
      const volume = await volumes.create('suite-a', 8 * MiB, signal);
      expect(volume.sizeBytes).toBeGreaterThanOrEqual(8 * MiB);
      expect((await volumes.create('suite-a', 8 * MiB, signal)).id).toBe(volume.id);
      await expect(volumes.create('suite-a', 1024 * MiB, signal)).rejects.toThrow(VolumeConflictError);
      expect((await volumes.list(signal)).filter((v) => v.name === 'suite-a')).toHaveLength(1);
      await volumes.delete(volume.id, signal);
      await volumes.delete(volume.id, signal);
      expect(await volumes.get(volume.id, signal)).toBeUndefined();
    });

    it('volumes: one is attached to one machine at a time, and not deleted meanwhile', async () => {
      const { volumes } = under.cloud;
      if (!volumes) return;
      const [one, two] = under.nodes.map((n) => n.metadata.name ?? '') as [string, string];
      const { id } = await volumes.create('suite-b', 8 * MiB, signal);
      const device = await volumes.attach(id, one, signal);
      expect(await volumes.attach(id, one, signal)).toBe(device);
      expect((await volumes.get(id, signal))?.attachedTo).toBe(one);
      await expect(volumes.attach(id, two, signal)).rejects.toThrow(VolumeInUseError);
      await expect(volumes.delete(id, signal)).rejects.toThrow(VolumeInUseError);
      await volumes.detach(id, two, signal);
      expect((await volumes.get(id, signal))?.attachedTo).toBe(one);
      await volumes.detach(id, one, signal);
      await volumes.detach(id, one, signal);
      await volumes.attach(id, two, signal);
      await volumes.detach(id, two, signal);
      await volumes.delete(id, signal);
    });

    it('volumes: grow and never shrink; what does not exist cannot be attached', async () => {
      const { volumes } = under.cloud;
      if (!volumes) return;
      const { id } = await volumes.create('suite-c', 8 * MiB, signal);
      expect(await volumes.expand(id, 16 * MiB, signal)).toBeGreaterThanOrEqual(16 * MiB);
      expect(await volumes.expand(id, 1 * MiB, signal)).toBeGreaterThanOrEqual(16 * MiB);
      expect((await volumes.get(id, signal))?.sizeBytes).toBeGreaterThanOrEqual(16 * MiB);
      await volumes.delete(id, signal);
      await expect(volumes.attach(id, under.nodes[0].metadata.name ?? '', signal)).rejects.toThrow(VolumeNotFoundError);
    });

    it('instances: a machine that is gone does not exist', async () => {
      const { instances } = under.cloud;
      if (!instances || !under.removeInstance) return;
      const [, node] = under.nodes;
      const providerID = (await instances.metadata(node, signal))?.providerId ?? '';
      await under.removeInstance(node.metadata.name ?? '');
      expect(await instances.exists({ ...node, spec: { providerID } }, signal)).toBe(false);
    });
  });
}
