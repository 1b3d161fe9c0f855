import type { Pod, Service } from '@coxswain/api';
import { labelSelectorFromSet, semanticEqual } from '@coxswain/apimachinery';
import type { SharedInformer } from '@coxswain/client';
import type { KeyQueue } from '../runtime/controller-context.js';
import { isReady } from '../pods/pod-state.js';

interface Watched {
  readonly services: SharedInformer<Service>;
  readonly pods: SharedInformer<Pod>;
  readonly queue: KeyQueue;
}

/** What of a pod its endpoints show. */
const face = (p: Pod) => [
  p.status?.podIPs,
  p.status?.podIP,
  p.status?.phase,
  isReady(p),
  p.spec?.nodeName,
  p.metadata.deletionTimestamp,
  p.spec?.hostname,
  p.spec?.subdomain,
];

/** Queues a service when it changes, and when a pod it selects (or selected) changes in a way its endpoints show. Returns the undo. */
export function watchServicePods({ services, pods, queue }: Watched): () => void {
  const key = (s: Service) => `${s.metadata.namespace}/${s.metadata.name}`;
  const selecting = (pod: Pod, found: Set<string>) => {
    for (const s of services.lister.list({ namespace: pod.metadata.namespace })) {
      const selector = s.spec?.selector;
      if (selector && Object.keys(selector).length > 0 && labelSelectorFromSet(selector).matches(pod.metadata.labels)) found.add(key(s));
    }
  };
  const enqueue = (...changed: Pod[]) => {
    const found = new Set<string>();
    for (const p of changed) selecting(p, found);
    for (const k of found) queue.add(k);
  };
  const undo = [
    services.addHandler({ add: (s) => queue.add(key(s)), update: (_o, s) => queue.add(key(s)), delete: (s) => queue.add(key(s)) }),
    pods.addHandler({
      add: (p) => enqueue(p),
      update(old, p) {
        const relabelled = !semanticEqual(old.metadata.labels, p.metadata.labels);
        if (relabelled) enqueue(old, p);
        else if (!semanticEqual(face(old), face(p))) enqueue(p);
      },
      delete: (p) => enqueue(p),
    }),
  ];
  return () => undo.forEach((f) => f());
}
