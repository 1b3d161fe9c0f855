export interface BackoffOptions {
  /** First delay, ms. */
  readonly initialMs: number;
  /** Longest delay, ms. Whoever stays well for twice this long starts afresh. */
  readonly maxMs: number;
}

interface Entry {
  delay: number;
  lastUpdate: number;
}

/** Doubling delays by key. Pure: the caller says what time it is (ms). */
export class Backoff {
  readonly #entries = new Map<string, Entry>();
  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait still, for something that failed at `since`; 0: go on. */
  remaining(key: string, since: number, now: number): number {
    const entry = this.#entries.get(key);
    if (!entry || this.#stale(entry, since)) return 0;
    return Math.max(0, since + entry.delay - now);
  }

  /** The current delay, ms. */
  delay(key: string): number {
    return this.#entries.get(key)?.delay ?? 0;
  }

  /** Record a try, for something that failed at `since`; the next delay is the double. */
  next(key: string, since: number, now: number): void {
    const entry = this.#entries.get(key);
    if (!entry || this.#stale(entry, since)) this.#entries.set(key, { delay: this.#options.initialMs, lastUpdate: now });
    else {
      entry.delay = Math.min(entry.delay * 2, this.#options.maxMs);
      entry.lastUpdate = now;
    }
  }

  reset(key: string): void {
    this.#entries.delete(key);
  }

  /** Forget every key that starts with `prefix`. */
  resetAll(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #stale(entry: Entry, since: number): boolean {
    return since - entry.lastUpdate > this.#options.maxMs * 2;
  }
}
