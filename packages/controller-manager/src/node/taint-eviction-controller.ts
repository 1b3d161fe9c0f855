import type { Node, Pod } from '@coxswain/api';
import { semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { TaintManager } from '../pods/taint-manager.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { evictionTime } from './tolerations.js';

/** Deletes pods from nodes with NoExecute taints they do not tolerate, or no longer. */
export function taintEvictionController(context: ControllerContext): Controller {
  const { informers } = context;
  const nodes = informers.informer(Resources.nodes);
  const pods = informers.informer(Resources.pods);
  pods.addIndex('node', (p) => (p.spec?.nodeName ? [p.spec.nodeName] : []));
  const manager = new TaintManager(context, {
    reason: 'TaintManagerEviction',
    cancelling: (pod) => `Cancelling deletion of Pod ${pod}`,
    marking: (pod) => `Marking for deletion Pod ${pod}`,
    condition: { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' },
  });
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
          delete: (p) => manager.forget(key(p)),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const pod = pods.lister.get(name, namespace);
      if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp) return void manager.forget(at);
      const taints = noExecute(nodes.lister.get(pod.spec.nodeName));
      return manager.reconcile(at, pod, (since) => evictionTime(pod, taints, since), signal);
    },
  };
}
