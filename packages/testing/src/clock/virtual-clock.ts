import type { CancelTimer, Clock } from '@coxswain/sdk';
import { type Timer, TimerHeap } from './timer-heap.js';

/** Virtual milliseconds, or as people write them: `90s`, `1h30m`, `2d`. */
export type Span = number | string;

/** Milliseconds of a span. Throws a `RangeError` for what is none. */
export function milliseconds(span: Span): number {
  if (typeof span === 'number') {
    if (Number.isFinite(span) && span >= 0) return span;
  } else if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(span)) {
    const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    return [...span.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0);
  }
  throw new RangeError(`${JSON.stringify(span)} is no span of time; write milliseconds as a number, or 500ms, 90s, 5m, 1h30m, 2d`);
}

/**
 * A clock that moves when told to. Timers fire in the order of their times; after those of one moment everything they set off comes
 * to rest (`settled`) before the next moment, so a run does not depend on how fast the machine is.
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap();
  #elapsed = 0;
  #order = 0;
  /** One step at a time: two that wait at once must not overtake what the other's step set off. */
  #steps: Promise<unknown> = Promise.resolve();

  constructor(
    readonly start: number,
    private readonly settled: () => Promise<void>,
  ) {}

  now(): number {
    return this.start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimeout(fn: () => void, ms: number): CancelTimer {
    const timer: Timer = { at: this.#elapsed + Math.max(0, Math.ceil(ms)), order: this.#order++, fn };
    this.#timers.push(timer);
    return () => {
      timer.fn = undefined;
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const abort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Let a span pass, with everything that happens in it. */
  async advance(span: Span): Promise<void> {
    const target = this.#elapsed + milliseconds(span);
    await this.settled();
    while (await this.step(target));
    this.#elapsed = Math.max(this.#elapsed, target);
  }

  /** Go to the next moment a timer is set for, up to `limit`, and let it happen. False: there is none. */
  step(limit = Number.POSITIVE_INFINITY): Promise<boolean> {
    const step = this.#steps.then(() => this.#step(limit));
    this.#steps = step.catch(() => {});
    return step;
  }

  async #step(limit: number): Promise<boolean> {
    const first = this.#timers.peek();
    if (!first || first.at > limit) return false;
    this.#elapsed = Math.max(this.#elapsed, first.at);
    for (let due = this.#timers.peek(); due && due.at <= this.#elapsed; due = this.#timers.peek()) {
      const { fn } = due;
      this.#timers.pop();
      due.fn = undefined;
      fn?.();
    }
    await this.settled();
    return true;
  }
}
