import type { LogEntry } from '../log-entry.js';

/** What a follower may be behind by; the oldest are dropped for it beyond that, and it is told. */
const MOST_WAITING = 10_000;

/** Hands new entries to those who follow. A slow follower never holds up collection: it misses entries, and learns how many. */
export class LiveTail {
  readonly #followers = new Set<Follower>();

  push(entries: readonly LogEntry[]): void {
    for (const follower of this.#followers) follower.push(entries);
  }

  /** Entries from now on, until the signal aborts. */
  follow(signal: AbortSignal): AsyncIterable<{ readonly entries: readonly LogEntry[]; readonly missed: number }> {
    const follower = new Follower(signal, () => this.#followers.delete(follower));
    this.#followers.add(follower);
    return follower;
  }
}

class Follower implements AsyncIterable<{ readonly entries: readonly LogEntry[]; readonly missed: number }> {
  #waiting: LogEntry[] = [];
  #missed = 0;
  #wake = () => {};

  constructor(
    readonly signal: AbortSignal,
    readonly end: () => void,
  ) {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  push(entries: readonly LogEntry[]): void {
    this.#waiting.push(...entries);
    const over = this.#waiting.length - MOST_WAITING;
    if (over > 0) {
      this.#waiting.splice(0, over);
      this.#missed += over;
    }
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (!this.signal.aborted) {
        if (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
        const [entries, missed] = [this.#waiting, this.#missed];
        [this.#waiting, this.#missed] = [[], 0];
        if (entries.length > 0) yield { entries, missed };
      }
    } finally {
      this.end();
    }
  }
}
