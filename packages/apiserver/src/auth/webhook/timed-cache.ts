import { LRUCache } from 'lru-cache';
import type { Clock } from '@coxswain/sdk';

interface Entry<V> {
  readonly value: V;
  readonly until: number;
}

/** Answers for as long as they hold, and one question at a time for each key: who asks meanwhile waits for the same answer. */
export class TimedCache<V extends object> {
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #asking = new Map<string, Promise<V>>();

  constructor(
    readonly clock: Clock,
    max = 4096,
  ) {
    this.#entries = new LRUCache({ max });
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > this.clock.monotonic() ? entry.value : undefined;
  }

  /** `ttlMs` says for how long an answer holds; 0: it is not kept. Failures are never kept. */
  ask(key: string, question: () => Promise<V>, ttlMs: (value: V) => number): Promise<V> {
    const asking = this.#asking.get(key);
    if (asking) return asking;
    const answer = question()
      .then((value) => {
        const ttl = ttlMs(value);
        if (ttl > 0) this.#entries.set(key, { value, until: this.clock.monotonic() + ttl });
        return value;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, answer);
    return answer;
  }
}
