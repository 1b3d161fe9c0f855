import type { KubeObject, OwnerReference } from '@coxswain/api';
import { isInvalid, isNotFound, type LabelSelector } from '@coxswain/apimachinery';
import type { ResourceClient } from '@coxswain/client';
import { controllerOf, controllerRef, type OwnerKind } from './owners.js';

export interface ClaimOptions<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly ownerKind: OwnerKind;
  readonly selector: LabelSelector;
  /** All of the namespace that may come into question. */
  readonly objects: readonly T[];
  readonly client: ResourceClient<T>;
  /** The owner as the API server has it now: adoption must not act on a stale picture. */
  readonly freshOwner: () => Promise<KubeObject>;
  readonly signal: AbortSignal;
}

/**
 * The objects the owner manages: its own that the selector finds; orphans it finds are adopted, its own that it no longer finds
 * are released.
 */
export async function claimObjects<T extends KubeObject>(o: ClaimOptions<T>): Promise<T[]> {
  const { owner, ownerKind, selector, client, signal } = o;
  const claimed: T[] = [];
  let mayAdopt: Promise<boolean> | undefined;
  for (const object of o.objects) {
    const ref = controllerOf(object as { metadata: { ownerReferences?: OwnerReference[] } });
    const matches = selector.matches(object.metadata.labels);
    const name = object.metadata.name ?? '';
    const uid = object.metadata.uid;
    if (ref) {
      if (ref.uid !== owner.metadata.uid) continue;
      if (matches) claimed.push(object);
      else if (!owner.metadata.deletionTimestamp) {
        await ignoreGone(
          client
            .namespace(object.metadata.namespace)
            .patch(name, 'strategic', { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: ref.uid }] } }, { signal }),
        );
      }
      continue;
    }
    if (owner.metadata.deletionTimestamp || !matches || object.metadata.deletionTimestamp) continue;
    mayAdopt ??= o.freshOwner().then((fresh) => fresh.metadata.uid === owner.metadata.uid && !fresh.metadata.deletionTimestamp);
    if (!(await mayAdopt)) continue;
    const patch = { metadata: { uid, ownerReferences: [controllerRef(owner, ownerKind)] } };
    if (await ignoreGone(client.namespace(object.metadata.namespace).patch(name, 'strategic', patch, { signal }))) claimed.push(object);
  }
  return claimed;
}

/** False when the object is gone or another of its name took its place. */
async function ignoreGone(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return false;
    throw error;
  }
}
