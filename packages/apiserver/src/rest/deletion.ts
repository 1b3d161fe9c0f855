import type { KubeObject, ResourceStrategy } from '@coxswain/api';
import { formatTime } from '@coxswain/apimachinery';
import type { DeleteOptions } from './delete-options.js';
import type { ResourceHooks } from './resource-hooks.js';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export type DeletionStep =
  /** Remove it now. */
  | { readonly type: 'remove' }
  /** Mark it (again), or change its finalizers; somebody else finishes. */
  | { readonly type: 'mark'; readonly object: KubeObject }
  /** It is on its way already, and nothing changes. */
  | { readonly type: 'unchanged' };

/** True when an object marked for deletion has nothing left to wait for. */
export function isReadyToRemove(object: KubeObject, hooks: ResourceHooks | undefined): boolean {
  const { metadata } = object;
  return metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) === 0 && !hasFinalizers(object, hooks);
}

function hasFinalizers(object: KubeObject, hooks: ResourceHooks | undefined): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || hooks?.holdsDeletion?.(object) === true;
}

/** What a DELETE does to an object, by upstream's rules of grace periods and finalizers. Pure; `old` is not changed. */
export function planDeletion(old: KubeObject, strategy: ResourceStrategy, options: DeleteOptions, now: number, hooks: ResourceHooks | undefined): DeletionStep {
  const finalizers = finalizersAfter(old, strategy, options);
  const finalizersChanged = finalizers.length !== (old.metadata.finalizers?.length ?? 0) || finalizers.some((name) => !old.metadata.finalizers?.includes(name));
  const object: KubeObject = { ...old, metadata: { ...old.metadata } };
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  const marked = old.metadata.deletionTimestamp !== undefined;
  const grace = strategy.gracePeriod?.(old, options.gracePeriodSeconds);

  if (marked) {
    const current = old.metadata.deletionGracePeriodSeconds ?? 0;
    // Being deleted gracefully: only a shorter period changes something.
    if (grace !== undefined && current > 0 && options.gracePeriodSeconds !== undefined && grace < current) {
      if (grace === 0 && !hasFinalizers(object, hooks)) return { type: 'remove' };
      const asked = Date.parse(old.metadata.deletionTimestamp as string) - current * 1000;
      object.metadata.deletionTimestamp = formatTime(Math.max(asked + grace * 1000, now));
      object.metadata.deletionGracePeriodSeconds = grace;
      return { type: 'mark', object };
    }
    if (isReadyToRemove(object, hooks)) return { type: 'remove' };
    return finalizersChanged ? { type: 'mark', object } : { type: 'unchanged' };
  }
  const waits = grace !== undefined && grace > 0;
  if (!waits && !hasFinalizers(object, hooks)) return { type: 'remove' };
  object.metadata.deletionTimestamp = formatTime(now + (waits ? grace * 1000 : 0));
  object.metadata.deletionGracePeriodSeconds = waits ? grace : 0;
  if (object.metadata.generation !== undefined && object.metadata.generation > 0) object.metadata.generation++;
  hooks?.markDeleted?.(object);
  return { type: 'mark', object };
}

/** The garbage collector's finalizers follow the propagation policy. */
function finalizersAfter(old: KubeObject, strategy: ResourceStrategy, options: DeleteOptions): string[] {
  const present = old.metadata.finalizers ?? [];
  const others = present.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  const policy = options.propagationPolicy ?? (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  switch (policy) {
    case 'Orphan':
      return [...others, ORPHAN];
    case 'Foreground':
      return [...others, FOREGROUND];
    case 'Background':
      return others;
    case undefined: {
      if (present.includes(ORPHAN) || present.includes(FOREGROUND)) return [...present];
      return strategy.defaultDeletionPropagation === 'Orphan'
        ? [...others, ORPHAN]
        : strategy.defaultDeletionPropagation === 'Foreground'
          ? [...others, FOREGROUND]
          : others;
    }
  }
}
