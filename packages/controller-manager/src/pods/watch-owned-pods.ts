import type { Pod } from '@coxswain/api';
import type { SharedInformer } from '@coxswain/client';
import { controllerOf } from '../runtime/owners.js';
import type { KeyQueue } from '../runtime/controller-context.js';

export interface OwnedPods {
  /** Key of the owner of our kind that manages the pod. */
  readonly ownerOf: (pod: Pod) => string | undefined;
  /** Keys of those that might adopt a pod nobody manages. */
  readonly orphanKeys: (pod: Pod) => readonly string[];
  readonly queue: KeyQueue;
  readonly created?: (key: string) => void;
  readonly deleted?: (key: string, uid: string) => void;
}

/** Queues the owners of pods that come, change or go. Returns the undo. */
export function watchOwnedPods(pods: SharedInformer<Pod>, { ownerOf, orphanKeys, queue, created, deleted }: OwnedPods): () => void {
  const orphan = (pod: Pod) => {
    if (!controllerOf(pod)) for (const key of orphanKeys(pod)) queue.add(key);
  };
  const gone = (pod: Pod) => {
    const key = ownerOf(pod);
    if (key === undefined) return;
    deleted?.(key, pod.metadata.uid ?? '');
    queue.add(key);
  };
  return pods.addHandler({
    add(pod) {
      // A restart may find pods that are already on their way out: they are not what was waited for.
      if (pod.metadata.deletionTimestamp) return gone(pod);
      const key = ownerOf(pod);
      if (key === undefined) return orphan(pod);
      created?.(key);
      queue.add(key);
    },
    update(old, pod) {
      if (pod.metadata.deletionTimestamp) gone(pod);
      const before = ownerOf(old);
      const key = ownerOf(pod);
      if (before !== undefined && before !== key) queue.add(before);
      if (key !== undefined) queue.add(key);
      else if (controllerOf(old) || JSON.stringify(old.metadata.labels) !== JSON.stringify(pod.metadata.labels)) orphan(pod);
    },
    delete: gone,
  });
}
