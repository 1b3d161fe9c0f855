import type { KubeObject } from '@coxswain/api';
import type { Compare, StateStore, StoreOp, UserInfo } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';
import type { InflightWrite, ResourceCache } from './resource-cache.js';
import type { StoreFeed } from './store-feed.js';
import { encodeForStore, StoredObject } from './stored-object.js';

/** Other keys that must change, or hold, in the same transaction: address claims, port claims. */
export interface Companions {
  readonly compare: readonly Compare[];
  readonly ops: readonly StoreOp[];
}

export type WriteOutcome =
  | { readonly type: 'written'; readonly object: StoredObject }
  /** The object, or what a companion compares, is not as expected. */
  | { readonly type: 'conflict' };

/** On whose behalf something is read or written; for storages that are somebody else's. */
export interface Caller {
  readonly user: UserInfo;
  readonly request: { readonly signal: AbortSignal };
}

const NONE: Companions = { compare: [], ops: [] };

/** Writes of one resource, each one transaction; and reads that need the store itself. */
export class ResourceStorage {
  constructor(
    readonly store: StateStore,
    readonly feed: StoreFeed,
    readonly cache: ResourceCache,
  ) {}

  path(namespace: string, name: string): string {
    return this.cache.namespaced ? `${namespace}/${name}` : name;
  }

  /** `object` is handed over: the caller does not change it any more. */
  create(
    namespace: string,
    name: string,
    object: KubeObject,
    lease: number | undefined,
    companions: Companions | undefined = NONE,
    _caller?: Caller,
  ): Promise<WriteOutcome> {
    const key = this.cache.prefix + this.path(namespace, name);
    return this.#write(namespace, name, object, { key, target: 'mod', op: '=', operand: 0 }, lease, companions);
  }

  /** Replaces `current`; nothing is written when the content is the same. */
  async update(
    current: StoredObject,
    object: KubeObject,
    lease: number | undefined,
    companions: Companions | undefined = NONE,
    _caller?: Caller,
  ): Promise<WriteOutcome> {
    const key = this.cache.prefix + this.path(current.namespace, current.name);
    return this.#write(current.namespace, current.name, object, { key, target: 'mod', op: '=', operand: current.revision }, lease, companions);
  }

  async delete(current: StoredObject, companions: Companions | undefined = NONE, _caller?: Caller): Promise<WriteOutcome> {
    const key = this.cache.prefix + this.path(current.namespace, current.name);
    const result = await this.store.txn({
      compare: [{ key, target: 'mod', op: '=', operand: current.revision }, ...companions.compare],
      success: [{ type: 'delete', range: { key } }, ...companions.ops],
    });
    if (!result.succeeded) return { type: 'conflict' };
    await this.feed.waitFor(result.revision);
    return { type: 'written', object: current.atRevision(result.revision) };
  }

  /** The newest state, past the cache: after a lost race. Waits until the cache has caught up with what it returns. */
  async fresh(namespace: string, name: string, _caller?: Caller): Promise<StoredObject | undefined> {
    const result = await this.store.range({ key: this.cache.prefix + this.path(namespace, name) });
    await this.feed.waitFor(result.revision);
    return this.cache.get(namespace, name);
  }

  /** A page as of an old revision, read from the store. Rejects with CompactedError. */
  async page(after: string, namespace: string, revision: number, limit: number): Promise<{ objects: StoredObject[]; more: boolean; remaining: number }> {
    const scope = this.cache.prefix + (namespace === '' ? '' : `${namespace}/`);
    const whole = prefixRange(scope);
    const key = after === '' ? whole.key : `${this.cache.prefix}${after}\0`;
    const options = { revision, ...(limit > 0 ? { limit } : {}) };
    const result = await this.store.range({ key, end: whole.end as string }, options);
    const objects = result.kvs.map((kv) => {
      const path = kv.key.slice(this.cache.prefix.length);
      const slash = this.cache.namespaced ? path.indexOf('/') : -1;
      return StoredObject.fromStore(slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1), kv.modRevision, kv.value);
    });
    return { objects, more: result.more, remaining: result.count - objects.length };
  }

  async #write(
    namespace: string,
    name: string,
    object: KubeObject,
    expected: Compare,
    lease: number | undefined,
    companions: Companions,
  ): Promise<WriteOutcome> {
    const value = encodeForStore(object);
    const write: InflightWrite = { value, object };
    const withdraw = this.cache.announce(this.path(namespace, name), write);
    try {
      const result = await this.store.txn({
        compare: companions.compare.length > 0 ? [expected, ...companions.compare] : [expected],
        success: [{ type: 'put', key: expected.key, value, ...(lease === undefined ? {} : { lease }) }, ...companions.ops],
      });
      if (!result.succeeded) return { type: 'conflict' };
      await this.feed.waitFor(result.revision);
      // Somebody's identical write may have taken the announcement: then the object is made here.
      const mine = write.result?.revision === result.revision ? write.result : StoredObject.fromWrite(namespace, name, result.revision, value, object);
      return { type: 'written', object: mine };
    } finally {
      withdraw();
    }
  }
}
