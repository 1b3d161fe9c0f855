import type { ErrorFactory } from './errors.js';
import type { LeaseStatus } from './types.js';

interface Lease {
  readonly id: number;
  readonly ttlSeconds: number;
  /** In the milliseconds of whoever calls. */
  expiresAt: number;
  readonly keys: Set<string>;
  /** A revoke has been planned and is not durable yet: nothing may attach any more. */
  revoking: boolean;
}

/**
 * Leases and the keys attached to them. It has no clock: callers say what time it is, in milliseconds of one
 * monotonic clock. Expiry times are not stored: after a restart each lease starts again with its full time.
 */
export class LeaseTable {
  readonly #leases = new Map<number, Lease>();

  constructor(readonly errors: ErrorFactory) {}

  ids(): number[] {
    return [...this.#leases.keys()].sort((a, b) => a - b);
  }

  has(id: number): boolean {
    return this.#leases.has(id);
  }

  add(id: number, ttlSeconds: number, now: number): void {
    this.#leases.set(id, { id, ttlSeconds, expiresAt: now + ttlSeconds * 1000, keys: new Set(), revoking: false });
  }

  remove(id: number): void {
    this.#leases.delete(id);
  }

  /** Move `key` from one lease to another; 0 is no lease. */
  attach(key: string, from: number, to: number): void {
    if (from === to) return;
    this.#leases.get(from)?.keys.delete(key);
    this.#leases.get(to)?.keys.add(key);
  }

  /** Throws unless keys may be attached to the lease. */
  assertUsable(id: number, now: number): void {
    const lease = this.#leases.get(id);
    if (!lease || lease.revoking || lease.expiresAt <= now) throw this.errors.leaseNotFound(id);
  }

  /** Marks the lease as going and returns its keys. Undo with `cancelRevoke`. */
  beginRevoke(id: number): string[] {
    const lease = this.#leases.get(id);
    if (!lease || lease.revoking) throw this.errors.leaseNotFound(id);
    lease.revoking = true;
    return [...lease.keys].sort();
  }

  cancelRevoke(id: number): void {
    const lease = this.#leases.get(id);
    if (lease) lease.revoking = false;
  }

  keepAlive(id: number, now: number): LeaseStatus {
    this.assertUsable(id, now);
    const lease = this.#leases.get(id) as Lease;
    lease.expiresAt = now + lease.ttlSeconds * 1000;
    return this.status(id, now);
  }

  status(id: number, now: number): LeaseStatus {
    const lease = this.#leases.get(id);
    if (!lease || lease.revoking || lease.expiresAt <= now) {
      return { id, grantedTtlSeconds: lease?.ttlSeconds ?? 0, remainingTtlSeconds: -1, keys: [] };
    }
    return {
      id,
      grantedTtlSeconds: lease.ttlSeconds,
      remainingTtlSeconds: Math.ceil((lease.expiresAt - now) / 1000),
      keys: [...lease.keys].sort(),
    };
  }

  expired(now: number): number[] {
    const out: number[] = [];
    for (const lease of this.#leases.values()) if (lease.expiresAt <= now && !lease.revoking) out.push(lease.id);
    return out;
  }
}
