import type { KubeObject, Node } from '@coxswain/api';
import { formatTime, isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { evictionRate, hasEvictionTaint, isReadyNode, nodeTaints, probe, readinessTaint, silentConditions, type NodeProbe } from './node-health.js';

const ZONE = 'topology.kubernetes.io/zone';

/** Watches over nodes: silent ones become NotReady, are tainted, and their pods are marked. */
export function nodeLifecycleController({ client, informers, clock, config, events }: ControllerContext): Controller {
  const nodes = informers.informer(Resources.nodes);
  const pods = informers.informer(Resources.pods);
  const leases = informers.informer(Resources.leases, { namespace: 'kube-node-lease' });
  pods.addIndex('node', (p) => (p.spec?.nodeName ? [p.spec.nodeName] : []));
  const probes = new Map<string, NodeProbe>();
  /** Zone → monotonic time at which its next node may be given up. */
  const nextEviction = new Map<string, number>();

  const zoneOf = (node: Node): string => node.metadata.labels?.[ZONE] ?? '';

  function mayEvict(node: Node): 'add' | 'keep' | 'spare' {
    const all = nodes.lister.list();
    // When nobody answers it is we who are cut off: nobody is driven out.
    if (all.every((n) => !isReadyNode(n))) return 'spare';
    const now = clock.monotonic();
    if (hasEvictionTaint(node) || (nextEviction.get(zoneOf(node)) ?? 0) > now) return 'keep';
    const zone = all.filter((n) => zoneOf(n) === zoneOf(node));
    const rate = evictionRate(zone.length, zone.filter((n) => !isReadyNode(n)).length);
    if (rate === 0) return 'keep';
    nextEviction.set(zoneOf(node), now + 1000 / rate);
    return 'add';
  }

  async function markPods(node: Node, signal: AbortSignal): Promise<void> {
    for (const pod of pods.lister.byIndex('node', node.metadata.name ?? '')) {
      const ready = pod.status?.conditions?.find((c) => c.type === 'Ready');
      if (ready?.status !== 'True') continue;
      const condition = { type: 'Ready', status: 'False', reason: 'NodeNotReady', lastTransitionTime: formatTime(clock.now()) };
      try {
        await client.api
          .pods(pod.metadata.namespace)
          .patch(
            pod.metadata.name ?? '',
            'strategic',
            { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } },
            { subresource: 'status', signal },
          );
        events(pod as KubeObject, 'Warning', 'NodeNotReady', 'Node is not ready');
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  return {
    name: 'node-lifecycle',
    watch(queue) {
      const undo = [
        nodes.addHandler({
          add: (n) => queue.add(n.metadata.name ?? ''),
          update: (_o, n) => queue.add(n.metadata.name ?? ''),
          delete: (n) => probes.delete(n.metadata.name ?? ''),
        }),
        // Only a sign of life from a node that had been given up is worth a look at once.
        leases.addHandler({ update: (_o, l) => (probes.get(l.metadata.name ?? '') ? undefined : queue.add(l.metadata.name ?? '')) }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(name, signal) {
      let node = nodes.lister.get(name);
      if (!node) return undefined;
      const wasReady = isReadyNode(node);
      const now = clock.monotonic();
      const lease = leases.lister.get(name, 'kube-node-lease');
      const seen = probe(node, lease, probes.get(name), now);
      probes.set(name, seen);
      if (now - seen.at > config.nodeMonitorGracePeriod * 1000) {
        const conditions = silentConditions(node, clock.now());
        if (conditions) {
          node = await client.api.nodes().updateStatus({ ...node, status: { ...node.status, conditions } }, { signal });
          // Our own write is not a sign of life.
          probes.set(name, probe(node, lease, undefined, seen.at));
          if (wasReady) events(node as KubeObject, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
        }
      }
      const notReady = readinessTaint(node) !== undefined;
      const taints = nodeTaints(node, notReady ? mayEvict(node) : 'keep', clock.now());
      if (!semanticEqual(taints, node.spec?.taints)) {
        // Not an update: the kubelet writes the node all the time.
        node = await client.api.nodes().patch(name, 'merge', { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } }, { signal });
      }
      if (notReady) await markPods(node, signal);
      return { requeueAfterMs: config.nodeMonitorPeriod * 1000 };
    },
  };
}
