import type { Clock, LeaseId, StateStore } from '@coxswain/sdk';

const REUSE_MS = 60_000;
const MAX_OBJECTS = 1000;

/** Shares one lease among the objects that expire at about the same time, as events do. */
export class LeasePool {
  #current: { readonly id: Promise<LeaseId>; readonly until: number; used: number } | undefined;

  constructor(
    readonly store: StateStore,
    readonly clock: Clock,
    readonly ttlSeconds: number,
  ) {}

  /** A lease that lasts at least the time to live from now. */
  lease(): Promise<LeaseId> {
    const now = this.clock.monotonic();
    if (!this.#current || now >= this.#current.until || this.#current.used >= MAX_OBJECTS) {
      const id = this.store.leaseGrant(this.ttlSeconds + REUSE_MS / 1000).then((status) => status.id);
      const current = { id, until: now + REUSE_MS, used: 0 };
      id.catch(() => {
        if (this.#current === current) this.#current = undefined;
      });
      this.#current = current;
    }
    this.#current.used++;
    return this.#current.id;
  }
}
