import type { Backend, Mutation, RecordId } from './backend.js';
import { mvccErrors } from './errors.js';
import type { ErrorFactory } from './errors.js';
import { LeaseTable } from './lease-table.js';
import { MvccEngine } from './mvcc-engine.js';
import type { KeyRange, LeaseStatus, RangeOptions, RangeResult, Txn, TxnResult, WatchBatch, WatchRequest } from './types.js';
import { WatchHub } from './watch-hub.js';

export interface RevisionedStoreOptions {
  /** Monotonic milliseconds, for leases. */
  now(): number;
  /** Run `fn` soon, after what is ready to run now: what it waits for goes to the backend in one append. Default: a microtask. */
  defer?(fn: () => void): void;
  readonly errors?: ErrorFactory;
  /** Values kept in memory. Default 16 MiB. */
  readonly cacheBytes?: number;
  /** Undelivered events a watcher may have before it is left to read history. Default 1000. */
  readonly watchBufferEvents?: number;
}

interface Waiting {
  readonly mutations: readonly Mutation[];
  readonly revision: number;
  done(): void;
  failed(error: Error): void;
}

const DELETE_CHUNK = 2000;

/**
 * A revisioned key-value store over a `Backend`: group commit, watches, leases, compaction.
 * Its methods have the semantics of the SDK's `StateStore`, which a plugin completes with status, snapshot and the like.
 *
 * Order: a transaction is planned at once against all planned before it, written together with whatever else is waiting,
 * and only when that is durable made visible, published to watchers and acknowledged, in this order.
 * When a write fails, every plan that is not durable fails with it.
 */
export class RevisionedStore {
  readonly #engine: MvccEngine;
  readonly #hub: WatchHub;
  readonly #leases: LeaseTable;
  readonly #errors: ErrorFactory;
  readonly #defer: (fn: () => void) => void;
  readonly #reserved = new Set<number>();
  #queue: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #paused: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #leftovers: RecordId[];
  #nextLease = 1;

  constructor(
    readonly backend: Backend,
    readonly options: RevisionedStoreOptions,
  ) {
    this.#errors = options.errors ?? mvccErrors;
    this.#defer = options.defer ? (fn) => options.defer?.(fn) : queueMicrotask;
    this.#leases = new LeaseTable(this.#errors);
    this.#engine = new MvccEngine(backend, {
      errors: this.#errors,
      leases: this.#leases,
      cacheBytes: options.cacheBytes ?? 16 * 1024 * 1024,
    });
    const bufferEvents = options.watchBufferEvents ?? 1000;
    this.#hub = new WatchHub(this.#engine, { errors: this.#errors, bufferEvents, catchUpRecords: 5000, defer: this.#defer });
    const { compactRevision, leases } = backend.load();
    for (const { id, ttlSeconds } of leases) this.#leases.add(id, ttlSeconds, options.now());
    this.#leftovers = this.#engine.load(compactRevision);
  }

  get revision(): number {
    return this.#engine.visible;
  }
  get compactRevision(): number {
    return this.#engine.compactRevision;
  }
  get keyCount(): number {
    return this.#engine.keyCount;
  }
  get watcherCount(): number {
    return this.#hub.size;
  }

  async range(range: KeyRange, options?: RangeOptions, signal?: AbortSignal): Promise<RangeResult> {
    signal?.throwIfAborted();
    this.#assertOpen();
    return this.#engine.range(range, options);
  }

  async txn(txn: Txn, signal?: AbortSignal): Promise<TxnResult> {
    signal?.throwIfAborted();
    this.#assertOpen();
    const { result, mutations, needs } = this.#engine.plan(txn, this.options.now());
    await this.#durable(mutations, needs);
    return result;
  }

  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return this.#hub.watch(request, signal);
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    this.#engine.checkCompact(revision);
    await this.#append([{ type: 'compact', revision }], 0, () => {
      const ids = this.#engine.compact(revision);
      this.#hub.compacted(revision);
      this.#leftovers.push(...ids);
    });
    await this.#deleteLeftovers();
  }

  async leaseGrant(ttlSeconds: number, id?: number): Promise<LeaseStatus> {
    this.#assertOpen();
    if (!Number.isFinite(ttlSeconds) || ttlSeconds <= 0) throw this.#errors.invalid(`a lease needs a positive TTL, not ${ttlSeconds}`);
    if (id !== undefined && (!Number.isSafeInteger(id) || id < 0)) throw this.#errors.invalid(`${id} is not a lease id`);
    const chosen = id || this.#freeLease();
    if (this.#leases.has(chosen) || this.#reserved.has(chosen)) throw this.#errors.leaseExists(chosen);
    this.#reserved.add(chosen);
    try {
      await this.#append([{ type: 'lease-put', id: chosen, ttlSeconds }], 0, () => {
        this.#leases.add(chosen, ttlSeconds, this.options.now());
      });
    } finally {
      this.#reserved.delete(chosen);
    }
    return this.#leases.status(chosen, this.options.now());
  }

  async leaseKeepAlive(id: number): Promise<LeaseStatus> {
    this.#assertOpen();
    return this.#leases.keepAlive(id, this.options.now());
  }

  async leaseRevoke(id: number): Promise<void> {
    this.#assertOpen();
    const keys = this.#leases.beginRevoke(id);
    try {
      const { mutations, needs } = this.#engine.planDelete(keys);
      await this.#append([...mutations, { type: 'lease-delete', id }], needs, () => this.#leases.remove(id));
    } catch (error) {
      this.#leases.cancelRevoke(id);
      throw error;
    }
  }

  async leaseStatus(id: number): Promise<LeaseStatus> {
    this.#assertOpen();
    return this.#leases.status(id, this.options.now());
  }

  async leases(): Promise<readonly number[]> {
    this.#assertOpen();
    return this.#leases.ids();
  }

  /** Revoke what has expired. Call it now and then; leases expire for readers of their status even without it. */
  async tick(): Promise<void> {
    if (this.#closing) return;
    await Promise.allSettled(this.#leases.expired(this.options.now()).map((id) => this.leaseRevoke(id)));
  }

  /** Tell quiet watchers that asked for progress how far the store is. Call it now and then. */
  notifyProgress(): void {
    this.#hub.notifyProgress();
  }

  /** Run `fn` while nothing is being written; transactions wait. */
  async exclusive<T>(fn: () => Promise<T>): Promise<T> {
    while (this.#paused) await this.#paused;
    let resume = () => {};
    this.#paused = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      await this.#flushing;
      return await fn();
    } finally {
      this.#paused = undefined;
      resume();
      this.#pump();
    }
  }

  /** Records a crash left behind after a compaction; call once after opening. */
  async deleteLeftovers(): Promise<void> {
    await this.#deleteLeftovers();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#hub.close(this.#errors.unavailable('the store is closed'));
    // Let what is queued become durable first.
    await this.#paused;
    while (this.#flushing) await this.#flushing;
    await this.backend.close();
  }

  async #deleteLeftovers(): Promise<void> {
    while (this.#leftovers.length > 0 && !this.#closing) {
      await this.backend.deleteRecords(this.#leftovers.splice(0, DELETE_CHUNK));
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw this.#errors.unavailable('the store is closed');
  }

  #freeLease(): number {
    while (this.#leases.has(this.#nextLease) || this.#reserved.has(this.#nextLease)) this.#nextLease++;
    return this.#nextLease++;
  }

  /** Resolves when these mutations, and everything up to `revision`, are durable. */
  async #durable(mutations: readonly Mutation[], revision: number): Promise<void> {
    if (mutations.length === 0 && revision <= this.#engine.visible) return;
    await this.#append(mutations, revision, () => {});
  }

  #append(mutations: readonly Mutation[], revision: number, done: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({
        mutations,
        revision,
        done: () => {
          done();
          resolve();
        },
        failed: reject,
      });
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#flushing || this.#paused || this.#queue.length === 0) return;
    this.#flushing = new Promise<void>((resolve) => this.#defer(() => resolve(this.#flush()))).finally(() => {
      this.#flushing = undefined;
      this.#pump();
    });
  }

  async #flush(): Promise<void> {
    const group = this.#queue;
    this.#queue = [];
    const mutations = group.flatMap((w) => w.mutations);
    const revision = group.reduce((max, w) => Math.max(max, w.revision), 0);
    try {
      if (mutations.length > 0) await this.backend.append(mutations);
    } catch (error) {
      if (!this.#tookPlace(mutations, revision)) {
        this.#fail(group, error as Error);
        return;
      }
    }
    // One publication for the whole group, before anyone hears that it is done.
    const changes = this.#engine.commit(revision);
    if (changes.length > 0) this.#hub.publish(changes, this.#engine.visible);
    for (const waiting of group) waiting.done();
  }

  /** An append may fail after the fact (the last sync): the backend knows whether the records are there. */
  #tookPlace(mutations: readonly Mutation[], revision: number): boolean {
    return mutations.some((m) => m.type === 'record') && this.backend.lastRevision() >= revision;
  }

  #fail(group: readonly Waiting[], error: Error): void {
    // What was planned meanwhile stands on what has just failed.
    const later = this.#queue;
    this.#queue = [];
    this.#engine.rollback();
    for (const waiting of [...group, ...later]) waiting.failed(error);
  }
}
