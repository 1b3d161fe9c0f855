import type { KubeObject, Node } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller } from '@coxswain/controller';
import type { InstanceMetadata, Instances } from '@coxswain/sdk';
import type { CloudContext } from '../registry.js';
import { cloudLabels, nodeAddresses, sameAddresses } from './node-metadata.js';
import { hasTaint, UNINITIALIZED } from './taints.js';

/** Tells new nodes what the cloud knows of their machine, takes their taint, and keeps addresses and labels true. */
export function cloudNodeController({ client, informers, events, config }: CloudContext, instances: Instances): Controller {
  const nodes = informers.informer(Resources.nodes);
  const period = { requeueAfterMs: config.nodeStatusUpdateFrequency * 1000 };

  /** All of it in one write: a node without the taint has its provider id and labels. */
  async function initialize(node: Node, metadata: InstanceMetadata, signal: AbortSignal): Promise<Node> {
    const taints = (node.spec?.taints ?? []).filter((t) => t.key !== UNINITIALIZED);
    const labels = { ...node.metadata.labels, ...cloudLabels(metadata, node.metadata.labels) };
    const { taints: _old, ...spec } = node.spec ?? {};
    return client.api.nodes().update(
      {
        ...node,
        metadata: { ...node.metadata, labels },
        spec: { ...spec, ...(taints.length > 0 && { taints }), providerID: node.spec?.providerID || metadata.providerId },
      },
      { signal },
    );
  }

  async function relabel(node: Node, metadata: InstanceMetadata, signal: AbortSignal): Promise<void> {
    const labels = Object.entries(cloudLabels(metadata, node.metadata.labels)).filter(([k, v]) => node.metadata.labels?.[k] !== v);
    if (labels.length > 0) await client.api.nodes().patch(node.metadata.name ?? '', 'merge', { metadata: { labels: Object.fromEntries(labels) } }, { signal });
  }

  async function readdress(node: Node, metadata: InstanceMetadata, signal: AbortSignal): Promise<void> {
    const addresses = nodeAddresses(node, metadata);
    if (addresses.length === 0 || sameAddresses(node.status?.addresses, addresses)) return;
    // The list merges by type, which cannot hold two addresses of one: replace it whole.
    const status = { addresses: [{ $patch: 'replace' }, ...addresses] };
    await client.api.nodes().patch(node.metadata.name ?? '', 'strategic', { status }, { subresource: 'status', signal });
  }

  return {
    name: 'cloud-node',
    concurrency: 1,
    watch: (queue) =>
      nodes.addHandler({
        add: (n) => queue.add(n.metadata.name ?? ''),
        update: (_old, n) => hasTaint(n, UNINITIALIZED) && queue.add(n.metadata.name ?? ''),
      }),
    async reconcile(name, signal) {
      const node = nodes.lister.get(name);
      if (!node) return undefined;
      try {
        const metadata = await instances.metadata(node, signal);
        if (!hasTaint(node, UNINITIALIZED)) {
          if (metadata) {
            await relabel(node, metadata, signal);
            await readdress(node, metadata, signal);
          }
          return period;
        }
        if (!metadata) throw new Error(`failed to get instance metadata for node ${name}: instance not found`);
        if (!metadata.providerId && !node.spec?.providerID) throw new Error(`cloud provider does not set node provider ID for node ${name}`);
        nodeAddresses(node, metadata);
        await readdress(await initialize(node, metadata, signal), metadata, signal);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
      events(node as KubeObject, 'Normal', 'Synced', 'Node synced successfully');
      return period;
    },
  };
}
