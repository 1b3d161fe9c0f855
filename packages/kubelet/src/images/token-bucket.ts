import type { Clock } from '@coxswain/sdk';

/** `qps` a second after a burst; who comes too early is told so. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly qps: number,
    private readonly burst: number,
  ) {
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  take(): boolean {
    const now = this.clock.monotonic();
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#at) / 1000) * this.qps);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
