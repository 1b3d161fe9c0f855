import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ApiCall, ApiHandlers } from '@coxswain/sdk';
import { ResourceCache } from '../storage/resource-cache.js';
import { ResourceStorage } from '../storage/resource-storage.js';
import type { Caller, Companions, WriteOutcome } from '../storage/resource-storage.js';
import type { StoreFeed } from '../storage/store-feed.js';
import { StoredObject } from '../storage/stored-object.js';
import { noStore } from './no-store.js';

export interface HandledKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly group: string;
  readonly namespaced: boolean;
}

/** What the generic machinery writes to, when a kind's objects are kept by handlers. Its cache is always empty: every read asks, as when the store is far away. */
export class HandledStorage extends ResourceStorage {
  constructor(
    feed: StoreFeed,
    readonly of: HandledKind,
    readonly handlers: ApiHandlers,
  ) {
    super(noStore, feed, new ResourceCache({ prefix: `/handled/${of.group}/${of.resource}/`, namespaced: of.namespaced, indexes: [], windowSize: 0 }));
  }

  override async create(
    _namespace: string,
    _name: string,
    object: KubeObject,
    _lease: number | undefined,
    _companions?: Companions,
    caller?: Caller,
  ): Promise<WriteOutcome> {
    if (!this.handlers.create) throw this.#unsupported('create');
    const outcome = await this.handlers.create(object, callOf(caller));
    return outcome === 'exists' ? { type: 'conflict' } : { type: 'written', object: this.stored(outcome) };
  }

  override async update(
    current: StoredObject,
    object: KubeObject,
    _lease: number | undefined,
    _companions?: Companions,
    caller?: Caller,
  ): Promise<WriteOutcome> {
    if (!this.handlers.update) throw this.#unsupported('update');
    const outcome = await this.handlers.update(object, current.object, callOf(caller));
    return outcome === 'conflict' ? { type: 'conflict' } : { type: 'written', object: this.stored(outcome) };
  }

  override async delete(current: StoredObject, _companions?: Companions, caller?: Caller): Promise<WriteOutcome> {
    if (!this.handlers.delete) throw this.#unsupported('delete');
    const outcome = await this.handlers.delete(current.object, callOf(caller));
    return outcome === 'conflict' ? { type: 'conflict' } : { type: 'written', object: current };
  }

  override async fresh(namespace: string, name: string, caller?: Caller): Promise<StoredObject | undefined> {
    const object = await this.handlers.get({ namespace, name, ...callOf(caller) });
    return object === undefined ? undefined : this.stored(object);
  }

  /** In the order clients know; handlers may leave out what goes without saying. */
  stored(object: KubeObject): StoredObject {
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
    return StoredObject.foreign({ kind: this.of.kind, apiVersion: this.of.apiVersion, metadata, ...rest });
  }

  #unsupported(verb: string): ApiError {
    return ApiError.methodNotSupported({ group: this.of.group, resource: this.of.resource }, verb);
  }
}

const never = new AbortController().signal;

/** The signal of a request costs something to make: whoever does not look at it does not pay. */
export function callOf(caller: Caller | undefined): ApiCall {
  return {
    user: caller?.user ?? { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    get signal() {
      return caller?.request.signal ?? never;
    },
  };
}
