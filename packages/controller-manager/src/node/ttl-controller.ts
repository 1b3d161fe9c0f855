import type { Node } from '@coxswain/api';
import { isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const TTL = 'node.alpha.kubernetes.io/ttl';

/** The more nodes, the longer a kubelet may keep secrets and config maps. The sizes overlap, so that it does not go to and fro. */
const BOUNDARIES = [
  { atLeast: 0, atMost: 100, seconds: 0 },
  { atLeast: 90, atMost: 500, seconds: 15 },
  { atLeast: 450, atMost: 1000, seconds: 30 },
  { atLeast: 900, atMost: 2000, seconds: 60 },
  { atLeast: 1800, atMost: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;

/** Seconds for a cluster of so many nodes; what it is now stays while it may. Pure. */
export function secondsFor(nodes: number, now: number): number {
  const fits = BOUNDARIES.filter((b) => nodes >= b.atLeast && nodes <= b.atMost);
  return (fits.find((b) => b.seconds === now) ?? fits[0] ?? BOUNDARIES[4]).seconds;
}

/** Writes on every node how long its kubelet may go without asking for secrets and config maps again. */
export function ttlController({ client, informers }: ControllerContext): Controller {
  const nodes = informers.informer(Resources.nodes);
  let seconds = 0;
  let count = 0;
  return {
    name: 'ttl',
    watch(queue) {
      // As upstream: the other nodes learn of it when their kubelets write next, so that a cluster that grows does not write all of them again and again.
      const counted = (by: number) => {
        count += by;
        seconds = secondsFor(count, seconds);
      };
      const add = (n: Node) => {
        counted(1);
        queue.add(n.metadata.name ?? '');
      };
      return nodes.addHandler({ add, update: (_o, n) => queue.add(n.metadata.name ?? ''), delete: () => counted(-1) });
    },
    async reconcile(name, signal) {
      const node = nodes.lister.get(name);
      if (!node || node.metadata.annotations?.[TTL] === String(seconds)) return undefined;
      try {
        await client.api.nodes().patch(name, 'merge', { metadata: { annotations: { [TTL]: String(seconds) } } }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}
