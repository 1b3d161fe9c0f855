import type { Clock } from '@coxswain/sdk';

/** Waiting longer than this for one's own writes to be seen means that an event was missed: go on without. */
export const EXPECTATION_TIMEOUT_MS = 5 * 60_000;

interface Expected {
  adds: number;
  readonly deletes: Set<string>;
  at: number;
}

/**
 * What a controller has written and not yet seen in its cache, by the key of the owner. While expectations are open its counts are
 * wrong, so it must not create or delete again.
 */
export class Expectations {
  readonly #open = new Map<string, Expected>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** Call before creating. */
  expectCreations(owner: string, count: number): void {
    this.#of(owner).adds += count;
  }

  /** Call before deleting; `uids` of the objects. */
  expectDeletions(owner: string, uids: readonly string[]): void {
    const expected = this.#of(owner);
    for (const uid of uids) expected.deletes.add(uid);
  }

  /** An object appeared, or creating it failed. */
  creationObserved(owner: string): void {
    const expected = this.#open.get(owner);
    if (expected && expected.adds > 0) expected.adds--;
  }

  /** It is gone or being deleted, or deleting it failed. */
  deletionObserved(owner: string, uid: string): void {
    this.#open.get(owner)?.deletes.delete(uid);
  }

  /** Everything was seen (or is overdue): the cache can be trusted. */
  satisfied(owner: string): boolean {
    const expected = this.#open.get(owner);
    if (!expected) return true;
    return (expected.adds <= 0 && expected.deletes.size === 0) || this.clock.monotonic() - expected.at > EXPECTATION_TIMEOUT_MS;
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#open.delete(owner);
  }

  #of(owner: string): Expected {
    let expected = this.#open.get(owner);
    if (!expected || this.satisfied(owner)) this.#open.set(owner, (expected = { adds: 0, deletes: new Set(), at: this.clock.monotonic() }));
    return expected;
  }
}
