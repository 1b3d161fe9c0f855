import type { Clock, KeyValue, Logger, StateStore } from '@coxswain/sdk';
import { CompactedError, prefixRange } from '@coxswain/sdk';
import type { ResourceCache } from './resource-cache.js';

export interface StoreFeedOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The prefix all resources live under, with the trailing slash: `/registry/`. */
  readonly root: string;
}

const PAGE = 5000;
const RETRY_MS = 200;

/**
 * One watch over the whole registry that keeps every resource cache at the same revision. One stream instead of one per resource:
 * progress is global, so a read that follows a write waits for one number.
 */
export class StoreFeed {
  readonly #caches = new Map<string, ResourceCache>();
  readonly #waiting: { readonly revision: number; readonly done: () => void; readonly failed: (error: Error) => void }[] = [];
  /** Batches held back while a cache that came late is loading. */
  readonly #loading = new Map<ResourceCache, { key: string; value: Uint8Array | undefined; revision: number }[]>();
  readonly #stop = new AbortController();
  #revision = 0;
  #running: Promise<void> | undefined;
  #barrier: Promise<number> | undefined;
  #failed: Error | undefined;

  constructor(readonly options: StoreFeedOptions) {}

  /** Everything up to and including this revision is in the caches. */
  get revision(): number {
    return this.#revision;
  }

  /** Why the feed is not following the store at the moment. */
  get failure(): Error | undefined {
    return this.#failed;
  }

  /** Before `start`: loaded with the rest. After: call `load` as well. */
  add(cache: ResourceCache): void {
    if (this.#caches.has(cache.prefix)) throw new Error(`two resources are stored under ${cache.prefix}`);
    this.#caches.set(cache.prefix, cache);
  }

  remove(cache: ResourceCache): void {
    this.#caches.delete(cache.prefix);
    this.#loading.delete(cache);
  }

  /** Load a cache that was added while the feed runs. */
  async load(cache: ResourceCache): Promise<void> {
    this.#loading.set(cache, []);
    const { kvs, revision } = await this.#readAll(cache.prefix);
    await this.waitFor(revision);
    const missed = this.#loading.get(cache);
    if (!missed) return;
    for (const kv of kvs) cache.load(kv.key.slice(cache.prefix.length), kv.value, kv.modRevision);
    for (const change of missed) {
      if (change.revision <= revision) continue;
      const path = change.key.slice(cache.prefix.length);
      if (change.value) cache.put(path, change.value, change.revision);
      else cache.delete(path, change.revision);
    }
    this.#loading.delete(cache);
    cache.loaded(this.#revision);
  }

  async start(signal: AbortSignal): Promise<void> {
    const { kvs, revision } = await this.#readAll(this.options.root);
    signal.throwIfAborted();
    for (const kv of kvs) {
      const cache = this.#cacheOf(kv.key);
      cache?.load(kv.key.slice(cache.prefix.length), kv.value, kv.modRevision);
    }
    for (const cache of this.#caches.values()) cache.loaded(revision);
    this.#revision = revision;
    this.#running = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (const waiter of this.#waiting.splice(0)) waiter.failed(new Error('the API server is shutting down'));
  }

  /** Resolves when the caches have reached `revision`. */
  waitFor(revision: number): Promise<void> | undefined {
    if (revision <= this.#revision) return undefined;
    return new Promise((done, failed) => this.#waiting.push({ revision, done, failed }));
  }

  /**
   * Make the following cache read linearizable: wait until the caches show everything that was acknowledged, to anybody, before
   * this call. Undefined (nothing to wait for) whenever the store can tell its revision without I/O.
   */
  barrier(): Promise<void> | undefined {
    const known = this.options.store.currentRevision?.();
    if (known !== undefined) return this.waitFor(known);
    // All readers that arrive while one question is being prepared share its answer; one that arrives later must ask again.
    this.#barrier ??= Promise.resolve().then(() => {
      this.#barrier = undefined;
      return this.options.store.range({ key: this.options.root }, { countOnly: true }).then((result) => result.revision);
    });
    return this.#barrier.then((revision) => this.waitFor(revision));
  }

  async #readAll(prefix: string): Promise<{ kvs: KeyValue[]; revision: number }> {
    const whole = prefixRange(prefix);
    const kvs: KeyValue[] = [];
    let revision: number | undefined;
    let key = whole.key;
    for (;;) {
      const page = await this.options.store.range({ key, end: whole.end as string }, { limit: PAGE, ...(revision === undefined ? {} : { revision }) });
      revision ??= page.revision;
      for (const kv of page.kvs) kvs.push(kv);
      const last = page.kvs.at(-1);
      if (!page.more || !last) return { kvs, revision };
      key = `${last.key}\0`;
    }
  }

  #cacheOf(key: string): ResourceCache | undefined {
    // Prefixes have two or three segments: /registry/pods/, /registry/services/specs/, /registry/example.com/foos/.
    const second = key.indexOf('/', this.options.root.length);
    if (second < 0) return undefined;
    const short = this.#caches.get(key.slice(0, second + 1));
    if (short) return short;
    const third = key.indexOf('/', second + 1);
    return third < 0 ? undefined : this.#caches.get(key.slice(0, third + 1));
  }

  async #follow(): Promise<void> {
    const { store, clock, logger, root } = this.options;
    while (!this.#stop.signal.aborted) {
      try {
        const request = { range: prefixRange(root), startRevision: this.#revision + 1, progressNotify: true };
        for await (const batch of store.watch(request, this.#stop.signal)) {
          this.#failed = undefined;
          this.#apply(batch.events, batch.revision);
        }
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#failed = error as Error;
        logger.warn('the watch on the store ended; starting again', { err: error });
        await clock.sleep(RETRY_MS, this.#stop.signal).catch(() => {});
        if (error instanceof CompactedError) await this.#resync().catch((err: unknown) => logger.error('reading the store again failed', { err }));
      }
    }
  }

  #apply(events: readonly { readonly type: 'put' | 'delete'; readonly kv: KeyValue }[], revision: number): void {
    const touched = new Set<ResourceCache>();
    for (const { type, kv } of events) {
      const cache = this.#cacheOf(kv.key);
      if (!cache) continue;
      const held = this.#loading.get(cache);
      if (held) {
        held.push({ key: kv.key, value: type === 'put' ? kv.value : undefined, revision: kv.modRevision });
        continue;
      }
      const path = kv.key.slice(cache.prefix.length);
      if (type === 'put') cache.put(path, kv.value, kv.modRevision);
      else cache.delete(path, kv.modRevision);
      touched.add(cache);
    }
    this.#revision = revision;
    // All caches are at the new revision before any watcher or waiter hears of it.
    for (const cache of this.#caches.values()) cache.revision = revision;
    for (const cache of touched) cache.flush(revision);
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    let kept = 0;
    for (const waiter of this.#waiting) {
      if (waiter.revision <= this.#revision) waiter.done();
      else this.#waiting[kept++] = waiter;
    }
    this.#waiting.length = kept;
  }

  async #resync(): Promise<void> {
    const { kvs, revision } = await this.#readAll(this.options.root);
    const states = new Map<ResourceCache, Map<string, { value: Uint8Array; revision: number }>>();
    for (const cache of this.#caches.values()) states.set(cache, new Map());
    for (const kv of kvs) {
      const cache = this.#cacheOf(kv.key);
      if (cache) states.get(cache)?.set(kv.key.slice(cache.prefix.length), { value: kv.value, revision: kv.modRevision });
    }
    for (const [cache, state] of states) if (!this.#loading.has(cache)) cache.replace(state, revision);
    this.#revision = revision;
    this.#wake();
  }
}
