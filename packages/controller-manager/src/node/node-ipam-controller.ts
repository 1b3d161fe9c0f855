import type { KubeObject, Node } from '@coxswain/api';
import { Resources } from '@coxswain/client';
import { CidrAllocator } from '../cidr/cidr-allocator.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const cidrsOf = (node: Node): string[] => node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []);

/** Gives every node its part of the cluster CIDR for its pods. */
export function nodeIpamController({ client, informers, config, events }: ControllerContext): Controller {
  const nodes = informers.informer(Resources.nodes);
  const allocators = config.clusterCidrs.map((c) => new CidrAllocator(c, c.includes(':') ? config.nodeCidrMaskSizeIPv6 : config.nodeCidrMaskSizeIPv4));
  /** Nodes (by uid) whose part is written and not yet seen. */
  const written = new Map<string, string>();
  for (const range of config.serviceClusterIPRanges) for (const a of allocators) a.keepOff(range);
  return {
    name: 'node-ipam',
    concurrency: 1,
    watch(queue) {
      if (!config.allocateNodeCidrs) return () => {};
      return nodes.addHandler({
        add(n) {
          for (const c of cidrsOf(n)) for (const a of allocators) a.occupy(c);
          queue.add(n.metadata.name ?? '');
        },
        update: (_o, n) => cidrsOf(n).length === 0 && queue.add(n.metadata.name ?? ''),
        delete(n) {
          written.delete(n.metadata.name ?? '');
          for (const c of cidrsOf(n)) for (const a of allocators) a.release(c);
        },
      });
    },
    async reconcile(name, signal) {
      const node = nodes.lister.get(name);
      if (node && cidrsOf(node).length > 0) written.delete(name);
      if (!node || cidrsOf(node).length > 0 || written.get(name) === node.metadata.uid) return undefined;
      const given = allocators.map((a) => a.allocate());
      const podCIDRs = given.filter((c) => c !== undefined);
      const giveBack = () => podCIDRs.forEach((c) => allocators.forEach((a) => a.release(c)));
      if (podCIDRs.length < allocators.length) {
        giveBack();
        events(node as KubeObject, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
        throw new Error(`no CIDR is left for node ${name}`);
      }
      try {
        // Set once and for all: the API server refuses a second value, so that no version has to be compared.
        await client.api.nodes().patch(name, 'merge', { metadata: { uid: node.metadata.uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } }, { signal });
        written.set(name, node.metadata.uid ?? '');
      } catch (error) {
        giveBack();
        throw error;
      }
      return undefined;
    },
  };
}
