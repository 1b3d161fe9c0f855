import type { LeaseId, Random } from '@coxswain/sdk';

/**
 * Lease ids between etcd's 64 bits and our numbers. Ours are chosen to fit; those that others made may not, and are then rounded
 * here and found again by the rounded number.
 */
export class LeaseIds {
  readonly #rounded = new Map<LeaseId, bigint>();

  constructor(readonly random: Random) {}

  /** An id for a new lease. */
  fresh(): LeaseId {
    return 1 + this.random.int(Number.MAX_SAFE_INTEGER - 1);
  }

  fromEtcd(id: bigint): LeaseId {
    const number = Number(id);
    if (!Number.isSafeInteger(number)) this.#rounded.set(number, id);
    return number;
  }

  toEtcd(id: LeaseId): bigint {
    return this.#rounded.get(id) ?? BigInt(id);
  }
}
