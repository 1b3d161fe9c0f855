import type { KubeObject, OwnerReference } from '@coxswain/api';
import { parseGroupVersion } from '@coxswain/apimachinery';
import { objectKey, type SharedInformer } from '@coxswain/client';
import { controllerOf } from '../owners/controller-ref.js';

/** Where watches put keys. */
export interface KeyQueue {
  add(key: string): void;
  addAfter(key: string, ms: number): void;
}

/** Something that makes a controller look at keys. */
export interface Watch {
  /** Must have its first list before work begins. */
  readonly informer?: { start(): void; synced(signal: AbortSignal): Promise<void> };
  /** Begin to queue; returns the undo. */
  attach(queue: KeyQueue): () => void;
}

export type Mapper<T> = (object: T) => readonly string[] | string | undefined;

export interface WatchOptions<T> {
  /** Only updates for which this is true count; adds and deletes always do. */
  readonly changed?: (old: T, object: T) => boolean;
}

/** Look at the object itself whenever it changes. */
export function watchFor<T extends KubeObject>(informer: SharedInformer<T>, options: WatchOptions<T> = {}): Watch {
  return watchMapped(informer, objectKey, options);
}

/** Look at the keys `mapper` names, before and after the change. */
export function watchMapped<T extends KubeObject>(informer: SharedInformer<T>, mapper: Mapper<T>, { changed }: WatchOptions<T> = {}): Watch {
  const add = (queue: KeyQueue, object: T) => {
    const keys = mapper(object);
    if (typeof keys === 'string') queue.add(keys);
    else if (keys) for (const key of keys) queue.add(key);
  };
  return {
    informer,
    attach: (queue) =>
      informer.addHandler({
        add: (object) => add(queue, object),
        update: (old, object) => {
          if (changed && !changed(old, object)) return;
          add(queue, old);
          add(queue, object);
        },
        delete: (object) => add(queue, object),
      }),
  };
}

/** Look at the controller (of this group and kind, in the same namespace) of whatever changes. */
export function watchOwned<T extends KubeObject>(
  informer: SharedInformer<T>,
  owner: { readonly group: string; readonly kind: string },
  options: WatchOptions<T> = {},
): Watch {
  const isOwner = (ref: OwnerReference) => ref.kind === owner.kind && parseGroupVersion(ref.apiVersion).group === owner.group;
  return watchMapped(
    informer,
    (object) => {
      const ref = controllerOf(object);
      if (!ref || !isOwner(ref)) return undefined;
      const { namespace } = object.metadata;
      return namespace ? `${namespace}/${ref.name}` : ref.name;
    },
    options,
  );
}
