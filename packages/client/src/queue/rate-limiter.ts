import type { Clock } from '@coxswain/sdk';

/** How long an item waits before it is tried again. */
export interface RateLimiter<K> {
  /** Counts a failure; milliseconds to wait. */
  when(item: K): number;
  forget(item: K): void;
  requeues(item: K): number;
}

/** Doubles with each failure of an item: 5 ms … 1000 s by default. */
export class ItemExponentialLimiter<K> implements RateLimiter<K> {
  readonly #failures = new Map<K, number>();

  constructor(
    private readonly baseMs = 5,
    private readonly maxMs = 1_000_000,
  ) {}

  when(item: K): number {
    const n = this.#failures.get(item) ?? 0;
    this.#failures.set(item, n + 1);
    return Math.min(this.maxMs, this.baseMs * 2 ** n);
  }

  forget(item: K): void {
    this.#failures.delete(item);
  }

  requeues(item: K): number {
    return this.#failures.get(item) ?? 0;
  }
}

/** Over all items: `qps` a second after a burst. */
export class BucketLimiter<K> implements RateLimiter<K> {
  #tokens: number;
  #at: number;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly qps = 10,
    private readonly burst = 100,
  ) {
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  when(): number {
    const now = this.clock.monotonic();
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#at) / 1000) * this.qps) - 1;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.qps) * 1000;
  }

  forget(): void {}

  requeues(): number {
    return 0;
  }
}

/** The longest of several. */
export class MaxOfLimiter<K> implements RateLimiter<K> {
  constructor(private readonly limiters: readonly RateLimiter<K>[]) {}

  when(item: K): number {
    return Math.max(0, ...this.limiters.map((l) => l.when(item)));
  }

  forget(item: K): void {
    for (const l of this.limiters) l.forget(item);
  }

  requeues(item: K): number {
    return Math.max(0, ...this.limiters.map((l) => l.requeues(item)));
  }
}

/** What controllers use: per item 5 ms … 1000 s, and 10 a second (burst 100) over all. */
export function defaultRateLimiter<K>(clock: Pick<Clock, 'monotonic'>): RateLimiter<K> {
  return new MaxOfLimiter<K>([new ItemExponentialLimiter<K>(), new BucketLimiter<K>(clock)]);
}
