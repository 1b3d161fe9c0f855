import type { KubeObject } from '@coxswain/api';
import { isInvalid, isNotFound, type LabelSelector } from '@coxswain/apimachinery';
import type { ResourceClient } from '@coxswain/client';
import { controllerOf, newControllerRef, type OwnerKind } from './controller-ref.js';

export interface ControllerRefManagerOptions<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly ownerKind: OwnerKind;
  readonly selector: LabelSelector;
  readonly client: ResourceClient<T>;
  /** Reads the owner from the API server (not a cache): an owner that is being deleted must not adopt. Asked once, when needed. */
  readonly readOwner: (signal: AbortSignal) => Promise<KubeObject>;
  /** Beside the selector, e.g. only pods that have not ended may be adopted. */
  readonly mayAdopt?: (object: T) => boolean;
}

/** Decides which objects an owner manages: keeps matching ones, adopts matching orphans, releases what no longer matches. */
export class ControllerRefManager<T extends KubeObject> {
  #canAdopt: Promise<void> | undefined;

  constructor(private readonly options: ControllerRefManagerOptions<T>) {}

  /** Those that are the owner's now. Failures of single objects are collected; the rest is still done. */
  async claim(objects: Iterable<T>, signal: AbortSignal): Promise<T[]> {
    const claimed: T[] = [];
    const errors: unknown[] = [];
    for (const object of objects) {
      try {
        if (await this.#claimOne(object, signal)) claimed.push(object);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, errors.map((e) => (e as Error).message).join(', '));
    return claimed;
  }

  async #claimOne(object: T, signal: AbortSignal): Promise<boolean> {
    const { owner, selector, mayAdopt } = this.options;
    const matches = selector.matches(object.metadata.labels);
    const controller = controllerOf(object);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) return false;
      if (matches) return true;
      // An owner that goes away leaves its objects to the garbage collector.
      if (!owner.metadata.deletionTimestamp) await this.#release(object, signal);
      return false;
    }
    if (owner.metadata.deletionTimestamp || object.metadata.deletionTimestamp || !matches || (mayAdopt && !mayAdopt(object))) return false;
    if (owner.metadata.namespace && owner.metadata.namespace !== object.metadata.namespace) return false;
    return this.#adopt(object, signal);
  }

  /** The uid in the patches makes them fail for another object of the same name. */
  async #adopt(object: T, signal: AbortSignal): Promise<boolean> {
    await (this.#canAdopt ??= this.#checkOwner(signal));
    const { owner, ownerKind } = this.options;
    const patch = { metadata: { uid: object.metadata.uid, ownerReferences: [newControllerRef(owner, ownerKind)] } };
    return unlessGone(this.#client(object).patch(object.metadata.name ?? '', 'strategic', patch, { signal }));
  }

  async #release(object: T, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { uid: object.metadata.uid, ownerReferences: [{ $patch: 'delete', uid: this.options.owner.metadata.uid }] } };
    await unlessGone(this.#client(object).patch(object.metadata.name ?? '', 'strategic', patch, { signal }));
  }

  #client(object: T): ResourceClient<T> {
    return this.options.client.namespace(object.metadata.namespace);
  }

  async #checkOwner(signal: AbortSignal): Promise<void> {
    const { owner, readOwner } = this.options;
    const fresh = await readOwner(signal);
    const name = `${owner.metadata.namespace ?? ''}/${owner.metadata.name ?? ''}`;
    if (fresh.metadata.uid !== owner.metadata.uid)
      throw new Error(`original ${owner.kind} ${name} is gone: got uid ${fresh.metadata.uid}, wanted ${owner.metadata.uid}`);
    if (fresh.metadata.deletionTimestamp) throw new Error(`${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
}

/** False: the object is gone, or another one has its name. */
async function unlessGone(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return false;
    throw error;
  }
}
