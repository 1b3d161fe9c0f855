import type { CancelTimer, Clock } from '@coxswain/sdk';

/** A call that takes longer than this is waiting for something else than a processor: it holds no place any more. Milliseconds. */
const HOLD_MS = 5000;

/**
 * Bounds how many sandboxes and containers are being made at a time: a runtime that makes forty at once finishes all of them late.
 * Containers go before sandboxes, so that pods that were begun get done first.
 */
export class StartGate {
  readonly #clock: Clock;
  readonly #waiting: Record<'container' | 'sandbox', (() => void)[]> = { container: [], sandbox: [] };
  #free: number;

  constructor(places: number, clock: Clock) {
    this.#free = places;
    this.#clock = clock;
  }

  /** Runs `work` when there is a place. Rejects, without having run it, when the signal aborts first. */
  async run<T>(kind: 'container' | 'sandbox', signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(kind, signal);
    let cancel: CancelTimer | undefined;
    let held = true;
    const leave = () => {
      if (!held) return;
      held = false;
      cancel?.();
      this.#leave();
    };
    cancel = this.#clock.setTimeout(leave, HOLD_MS);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  #enter(kind: 'container' | 'sandbox', signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    const queue = this.#waiting[kind];
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      const go = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      queue.push(go);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #leave(): void {
    const next = this.#waiting.container.shift() ?? this.#waiting.sandbox.shift();
    if (next) next();
    else this.#free++;
  }
}
