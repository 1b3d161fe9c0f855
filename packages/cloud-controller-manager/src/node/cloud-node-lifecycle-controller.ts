import type { KubeObject, Node } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller } from '@coxswain/controller';
import type { Instances } from '@coxswain/sdk';
import type { CloudContext } from '../registry.js';
import { hasTaint, readyStatus, SHUTDOWN } from './taints.js';

/**
 * A node whose machine is gone goes, too; one whose machine is off is marked so. Only nodes that do not answer are asked after, and only
 * those that have an id of this cloud: of nodes that people or tests write by hand, or that are another cloud's, it can say nothing.
 */
export function cloudNodeLifecycleController({ client, informers, clock, events, config }: CloudContext, instances: Instances, cloud: string): Controller {
  const nodes = informers.informer(Resources.nodes);
  const period = { requeueAfterMs: config.nodeMonitorPeriod * 1000 };

  async function setTaints(node: Node, taints: NonNullable<NonNullable<Node['spec']>['taints']>, signal: AbortSignal): Promise<void> {
    // With the version it was read at: somebody else's taint is never lost.
    const patch = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } };
    await client.api.nodes().patch(node.metadata.name ?? '', 'merge', patch, { signal });
  }

  async function remove(node: Node, signal: AbortSignal): Promise<void> {
    const { name = '', uid } = node.metadata;
    events(node as KubeObject, 'Normal', 'DeletingNode', `Deleting node ${name} because it does not exist in the cloud provider`);
    try {
      await client.api.nodes().delete(name, { ...(uid && { preconditions: { uid } }), signal });
    } catch (error) {
      if (isNotFound(error)) return;
      events(node as KubeObject, 'Warning', 'DeletingNodeFailed', `Failed deleting node ${name}: ${(error as Error).message}`);
      throw error;
    }
  }

  return {
    name: 'cloud-node-lifecycle',
    concurrency: 1,
    watch: (queue) =>
      nodes.addHandler({
        add: (n) => queue.add(n.metadata.name ?? ''),
        update: (old, n) => readyStatus(old) !== readyStatus(n) && queue.add(n.metadata.name ?? ''),
      }),
    async reconcile(name, signal) {
      const node = nodes.lister.get(name);
      if (!node) return undefined;
      const taints = (node.spec?.taints ?? []).filter((t) => t.key !== SHUTDOWN);
      if (readyStatus(node) === 'True') {
        if (hasTaint(node, SHUTDOWN)) await setTaints(node, taints, signal);
        return undefined;
      }
      if (!node.spec?.providerID?.startsWith(`${cloud}://`)) return period;
      if (!(await instances.exists(node, signal))) await remove(node, signal);
      else if (!hasTaint(node, SHUTDOWN) && (await instances.isShutdown(node, signal)))
        await setTaints(node, [...taints, { key: SHUTDOWN, effect: 'NoSchedule', timeAdded: formatTime(clock.now()) }], signal);
      return period;
    },
  };
}
