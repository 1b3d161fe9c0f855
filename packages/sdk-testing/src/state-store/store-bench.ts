import type { KeyValue, StateStore, Txn, WatchRequest } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';
import { WatchReader } from './watch-reader.js';

export interface StateStoreSuiteOptions {
  /** A fresh, empty store. The suite closes it. */
  open(): Promise<StateStore>;
  /** Close the store and open it again on the same data. Without it, persistence is not tested. */
  reopen?(store: StateStore): Promise<StateStore>;
  /** Let this many milliseconds pass for the store's clock. Default: wait. */
  advance?(ms: number): Promise<void>;
  /** Clean up after a test. */
  dispose?(): Promise<void>;
  /**
   * Whether writes take effect in the order in which one process started them. True for embedded stores (the default); a store behind
   * a network makes no such promise.
   */
  readonly ordersWrites?: boolean;
  /**
   * Whether a watch from the compacted revision itself still sees that revision's deletes. Default true; etcd before 3.4.37 and 3.5.19
   * loses them.
   */
  readonly keepsDeletesAtCompaction?: boolean;
  /** Runs of the property tests. Default 30. */
  readonly propertyRuns?: number;
}

export const bytes = (text: string) => Buffer.from(text);
export const text = (kv: KeyValue | undefined) => kv && Buffer.from(kv.value).toString();
export const all = prefixRange('/');

/** The store under test, and short words for what is done to it. */
export class StoreBench {
  /** Ends the watches of a test. */
  watching = new AbortController();
  readonly ordersWrites: boolean;
  #store: StateStore | undefined;

  constructor(readonly options: StateStoreSuiteOptions) {
    this.ordersWrites = options.ordersWrites ?? true;
  }

  get store(): StateStore {
    if (!this.#store) throw new Error('no store is open');
    return this.#store;
  }

  async begin(): Promise<void> {
    this.#store = await this.options.open();
    this.watching = new AbortController();
  }

  async end(): Promise<void> {
    this.watching.abort();
    await this.#close();
  }

  /** A fresh, empty store in place of this one. */
  async renew(): Promise<void> {
    await this.#close();
    this.#store = await this.options.open();
  }

  /** Closes the store and opens it again on the same data, which only some can: see `options.reopen`. */
  async reopen(): Promise<void> {
    this.#store = await this.options.reopen?.(this.store);
  }

  async #close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
    await this.options.dispose?.();
  }

  readonly advance = (ms: number) => this.options.advance?.(ms) ?? new Promise<void>((resolve) => setTimeout(resolve, ms));
  readonly txn = (success: Txn['success'], compare: Txn['compare'] = [], failure: Txn['success'] = []) => this.store.txn({ compare, success, failure });
  readonly put = async (key: string, value = 'v', lease = 0) => (await this.txn([{ type: 'put', key, value: bytes(value), lease }])).revision;
  readonly del = async (key: string, end?: string) => (await this.txn([{ type: 'delete', range: end === undefined ? { key } : { key, end } }])).revision;
  readonly get = async (key: string, revision?: number) => (await this.store.range({ key }, revision === undefined ? {} : { revision })).kvs[0];
  readonly watch = (request: WatchRequest) => new WatchReader(this.store.watch(request, this.watching.signal));
}
