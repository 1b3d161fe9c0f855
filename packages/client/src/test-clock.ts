import type { CancelTimer, Clock } from '@coxswain/sdk';

/** Virtual time for this package's tests: nothing happens until `advance`. */
export class TestClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly fn: () => void }[] = [];
  #grown: (() => void)[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimeout(fn: () => void, ms: number): CancelTimer {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    for (const resolve of this.#grown.splice(0)) resolve();
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Resolves when a timer is waiting. */
  async timer(): Promise<void> {
    while (this.#timers.length === 0) await new Promise<void>((resolve) => this.#grown.push(resolve));
  }

  /** Runs what is due, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await settle();
    }
    this.#now = until;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export const noRandom = { next: () => 0, int: () => 0, uuid: () => 'uuid', bytes: (n: number) => new Uint8Array(n) };
