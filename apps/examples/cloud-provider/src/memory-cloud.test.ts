import type { Node, Service } from '@coxswain/api';
import { cloudProviderSuite } from '@coxswain/sdk-testing';
import { MemoryCloud } from './memory-cloud.js';

const node = (name: string): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
const filler = (uid: string): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: uid, uid } });
const signal = new AbortController().signal;

cloudProviderSuite({
  name: 'memory',
  async start() {
    const addresses = ['203.0.113.1', '203.0.113.2', '203.0.113.3'];
    const cloud = new MemoryCloud(
      new Map([
        ['one', '192.0.2.1'],
        ['two', '192.0.2.2'],
      ]),
      addresses,
    );
    return {
      cloud,
      nodes: [node('one'), node('two')],
      removeInstance: async (name) => void cloud.machines.delete(name),
      async exhaustLoadBalancers() {
        for (const uid of addresses) await cloud.loadBalancers.ensure(filler(uid), [], signal);
        return () => cloud.loadBalancers.ensureDeleted(filler(addresses[0] as string), signal);
      },
    };
  },
});
