import { systemClock, type CancelTimer, type Clock } from '@coxswain/sdk';
import { defaultRateLimiter, type RateLimiter } from './rate-limiter.js';
import type { WorkQueueMetrics } from './work-queue-metrics.js';

export interface WorkQueueOptions<K> {
  /** For metrics. */
  readonly name?: string;
  readonly clock?: Clock;
  readonly rateLimiter?: RateLimiter<K>;
  readonly metrics?: WorkQueueMetrics | undefined;
}

/**
 * Keys to be worked on, each at most once at a time, and once more if it was added while being worked on.
 * `K` is compared by identity: use strings.
 */
export class WorkQueue<K = string> {
  /** In the order in which they are given out; all are in `#dirty` and none is in `#processing`. */
  #queue: K[] = [];
  #head = 0;
  /** Everything that needs work: waiting, or added again while being worked on. */
  readonly #dirty = new Set<K>();
  /** Given out and not yet `done`. A key that is both here and dirty goes back into the queue when it is done. */
  readonly #processing = new Set<K>();
  readonly #delayed = new Map<K, { readonly at: number; readonly cancel: CancelTimer }>();
  readonly #takers: ((key: K | undefined) => void)[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #addedAt = new Map<K, number>();
  readonly #startedAt = new Map<K, number>();
  readonly #clock: Clock;
  readonly #limiter: RateLimiter<K>;
  readonly #metrics: WorkQueueMetrics | undefined;
  readonly name: string;
  #shutDown = false;

  constructor(options: WorkQueueOptions<K> = {}) {
    this.name = options.name ?? '';
    this.#clock = options.clock ?? systemClock;
    this.#limiter = options.rateLimiter ?? defaultRateLimiter<K>(this.#clock);
    this.#metrics = options.name ? options.metrics : undefined;
    this.#metrics?.register(this.name, { unfinished: () => this.#unfinished(), depth: () => this.length });
  }

  /** How many wait (not those being worked on, nor those delayed). */
  get length(): number {
    return this.#queue.length - this.#head;
  }

  get isShutDown(): boolean {
    return this.#shutDown;
  }

  add(key: K): void {
    if (this.#shutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#metrics) {
      this.#metrics.added(this.name);
      this.#addedAt.set(key, this.#clock.monotonic());
    }
    if (!this.#processing.has(key)) this.#offer(key);
  }

  /** After `ms`; an earlier time for the same key wins. */
  addAfter(key: K, ms: number): void {
    if (this.#shutDown) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.monotonic() + ms;
    const waiting = this.#delayed.get(key);
    if (waiting && waiting.at <= at) return;
    waiting?.cancel();
    const cancel = this.#clock.setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, ms);
    this.#delayed.set(key, { at, cancel });
  }

  /** After what the rate limiter says: for failures. Call `forget` when it worked. */
  addRateLimited(key: K): void {
    this.#metrics?.retried(this.name);
    this.addAfter(key, this.#limiter.when(key));
  }

  forget(key: K): void {
    this.#limiter.forget(key);
  }

  requeues(key: K): number {
    return this.#limiter.requeues(key);
  }

  /** The next key, when there is one; undefined when the queue is shut down and empty. Every key must be given back with `done`. */
  get(): Promise<K | undefined> {
    if (this.length > 0) return Promise.resolve(this.#take());
    if (this.#shutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: K): void {
    if (!this.#processing.delete(key)) return;
    const startedAt = this.#startedAt.get(key);
    if (startedAt !== undefined) {
      this.#startedAt.delete(key);
      this.#metrics?.worked(this.name, (this.#clock.monotonic() - startedAt) / 1000);
    }
    if (this.#dirty.has(key)) this.#offer(key);
    if (this.#processing.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Nothing more is taken in; what waits is still given out; delayed keys are dropped. */
  shutDown(): void {
    if (this.#shutDown) return;
    this.#shutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
    this.#metrics?.unregister(this.name);
  }

  /** As `shutDown`, but what waits is dropped; resolves when what is being worked on is done. */
  async shutDownAndWait(): Promise<void> {
    this.shutDown();
    this.#queue = [];
    this.#head = 0;
    this.#dirty.clear();
    if (this.#processing.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #offer(key: K): void {
    const taker = this.#takers.shift();
    this.#queue.push(key);
    if (taker) taker(this.#take());
  }

  #take(): K {
    const key = this.#queue[this.#head++] as K;
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#dirty.delete(key);
    this.#processing.add(key);
    if (this.#metrics) {
      const now = this.#clock.monotonic();
      const addedAt = this.#addedAt.get(key);
      this.#addedAt.delete(key);
      if (addedAt !== undefined) this.#metrics.waited(this.name, (now - addedAt) / 1000);
      this.#startedAt.set(key, now);
    }
    return key;
  }

  /** Seconds each key has been worked on so far. */
  #unfinished(): number[] {
    const now = this.#clock.monotonic();
    return [...this.#startedAt.values()].map((at) => (now - at) / 1000);
  }
}
