import type { KubeObject, Node, Pod } from '@coxswain/api';
import { formatTime, isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { evictionTime } from './tolerations.js';

/** Deletes pods from nodes with NoExecute taints they do not tolerate, or no longer. */
export function taintEvictionController({ client, informers, clock, events }: ControllerContext): Controller {
  const nodes = informers.informer(Resources.nodes);
  const pods = informers.informer(Resources.pods);
  pods.addIndex('node', (p) => (p.spec?.nodeName ? [p.spec.nodeName] : []));
  /** Pods that are going to be evicted → when that was seen first. */
  const scheduled = new Map<string, number>();
  const key = (p: Pod) => `${p.metadata.namespace}/${p.metadata.name}`;
  const noExecute = (n: Node | undefined) => (n?.spec?.taints ?? []).filter((t) => t.effect === 'NoExecute');
  return {
    name: 'taint-eviction',
    concurrency: 8,
    watch(queue) {
      const all = (n: Node) => {
        for (const p of pods.lister.byIndex('node', n.metadata.name ?? '')) queue.add(key(p));
      };
      const undo = [
        nodes.addHandler({ add: (n) => noExecute(n).length > 0 && all(n), update: (old, n) => !semanticEqual(noExecute(old), noExecute(n)) && all(n) }),
        pods.addHandler({
          add: (p) => p.spec?.nodeName && noExecute(nodes.lister.get(p.spec.nodeName)).length > 0 && queue.add(key(p)),
          update: (old, p) => (old.spec?.nodeName !== p.spec?.nodeName || !semanticEqual(old.spec?.tolerations, p.spec?.tolerations)) && queue.add(key(p)),
          delete: (p) => scheduled.delete(key(p)),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const pod = pods.lister.get(name, namespace);
      if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp) return void scheduled.delete(at);
      const taints = noExecute(nodes.lister.get(pod.spec.nodeName));
      const since = scheduled.get(at) ?? clock.now();
      const when = evictionTime(pod, taints, since);
      if (when === 'never') {
        if (scheduled.delete(at)) events(pod as KubeObject, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${at}`);
        return undefined;
      }
      const wait = when - clock.now();
      if (wait > 0) {
        scheduled.set(at, since);
        return { requeueAfterMs: wait };
      }
      scheduled.delete(at);
      events(pod as KubeObject, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${at}`);
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: formatTime(clock.now()),
      };
      try {
        await client.api
          .pods(namespace)
          .patch(name, 'strategic', { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } }, { subresource: 'status', signal });
        await client.api.pods(namespace).delete(name, { signal, ...(pod.metadata.uid && { preconditions: { uid: pod.metadata.uid } }) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}
