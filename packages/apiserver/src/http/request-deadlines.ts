import type { Clock } from '@coxswain/sdk';

/** How exactly deadlines are kept. */
const STEP_MS = 1000;

/** Deadlines of requests. One timer for all of them: most requests are over long before. */
export class RequestDeadlines {
  readonly #pending = new Map<() => void, number>();
  #timer: (() => void) | undefined;

  constructor(readonly clock: Clock) {}

  /** Calls `expire` after `ms`, unless the returned function has been called before. */
  add(ms: number, expire: () => void): () => void {
    this.#pending.set(expire, this.clock.monotonic() + ms);
    this.#timer ??= this.clock.setTimeout(() => this.#sweep(), STEP_MS);
    return () => this.#pending.delete(expire);
  }

  #sweep(): void {
    const now = this.clock.monotonic();
    for (const [expire, at] of this.#pending) {
      if (at > now) continue;
      this.#pending.delete(expire);
      expire();
    }
    this.#timer = this.#pending.size > 0 ? this.clock.setTimeout(() => this.#sweep(), STEP_MS) : undefined;
  }
}
