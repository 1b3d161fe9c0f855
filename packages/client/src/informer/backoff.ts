import type { Clock, Random } from '@coxswain/sdk';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** Up to this share is added at random. */
  readonly jitter: number;
  /** Quiet for so long, it starts over. */
  readonly resetMs: number;
}

/** Upstream's reflector backoff: 0.8 s doubling to 30 s, jitter 1.0, over after two quiet minutes. */
export const REFLECTOR_BACKOFF: BackoffOptions = { initialMs: 800, maxMs: 30_000, factor: 2, jitter: 1, resetMs: 120_000 };

export class Backoff {
  #next: number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly random: Pick<Random, 'next'>,
    private readonly options: BackoffOptions = REFLECTOR_BACKOFF,
  ) {
    this.#next = options.initialMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const { initialMs, maxMs, factor, jitter, resetMs } = this.options;
    const now = this.clock.monotonic();
    if (now - this.#last > resetMs) this.#next = initialMs;
    this.#last = now;
    const base = this.#next;
    this.#next = Math.min(maxMs, base * factor);
    return base * (1 + jitter * this.random.next());
  }

  reset(): void {
    this.#next = this.options.initialMs;
  }
}
