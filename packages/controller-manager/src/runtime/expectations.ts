import type { Clock } from '@coxswain/sdk';

const TIMEOUT_MS = 5 * 60_000;

interface Expected {
  creations: number;
  readonly deletions: Set<string>;
  readonly at: number;
}

/**
 * Creations and deletions a controller asked for and has not seen in its cache yet. While some are open its picture is stale,
 * and acting on it would create or delete twice. Open for five minutes they count as lost.
 */
export class Expectations {
  readonly #byKey = new Map<string, Expected>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  expect(key: string, creations: number, deletions: Iterable<string> = []): void {
    this.#byKey.set(key, { creations, deletions: new Set(deletions), at: this.clock.monotonic() });
  }

  /** Seen, or failed: either way no longer open. */
  createdOne(key: string): void {
    const e = this.#byKey.get(key);
    if (e && e.creations > 0) e.creations--;
  }

  deleted(key: string, uid: string): void {
    this.#byKey.get(key)?.deletions.delete(uid);
  }

  satisfied(key: string): boolean {
    const e = this.#byKey.get(key);
    return !e || (e.creations === 0 && e.deletions.size === 0) || this.clock.monotonic() - e.at > TIMEOUT_MS;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }
}
