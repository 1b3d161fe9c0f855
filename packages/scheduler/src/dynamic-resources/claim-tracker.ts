import type { AllocationResult, ResourceClaim } from '@coxswain/api';
import type { ClusterView } from '../framework/handle.js';
import { addConsumption, parseConsumed, type Consumption } from './consumption.js';
import { deviceId } from './pools.js';

/** By `driver/pool/device`. */
export interface AllocatedDevices {
  readonly whole: ReadonlySet<string>;
  /** What is taken of devices that claims have shares of. */
  readonly shared: ReadonlyMap<string, Consumption>;
}

/** In part or in whole: what it is cut from is used up either way. */
export const isAllocated = ({ whole, shared }: AllocatedDevices, id: string): boolean => whole.has(id) || shared.has(id);

type Claims = Pick<ClusterView, 'resourceClaim' | 'resourceClaims'>;

/** Claims as the API has them, and beyond: what we have decided on and not yet written, and what we have written and not yet seen. */
export class ClaimTracker {
  /** By UID: promised, its writing is under way. */
  readonly #pending = new Map<string, AllocationResult>();
  /** By UID: as an answer of the API said; until the informer has caught up. */
  readonly #written = new Map<string, ResourceClaim>();

  constructor(private readonly claims: Claims) {}

  get(namespace: string, name: string): ResourceClaim | undefined {
    const seen = this.claims.resourceClaim(namespace, name);
    return seen && this.#newest(seen);
  }

  isPending = ({ metadata: { uid = '' } }: ResourceClaim): boolean => this.#pending.has(uid);

  promise({ metadata: { uid = '' } }: ResourceClaim, allocation: AllocationResult): void {
    this.#pending.set(uid, allocation);
  }

  /** Written, or given up. */
  settle({ metadata: { uid = '' } }: ResourceClaim, written?: ResourceClaim): void {
    this.#pending.delete(uid);
    if (written) this.#written.set(uid, written);
  }

  /** Devices that are somebody's. Who only administers one leaves it to others; who has a share leaves the rest. */
  allocatedDevices(): AllocatedDevices {
    const whole = new Set<string>();
    const shared = new Map<string, Map<string, bigint>>();
    const add = (allocation: AllocationResult | undefined) => {
      for (const { driver, pool, device, adminAccess, shareID, consumedCapacity } of allocation?.devices?.results ?? []) {
        if (adminAccess) continue;
        const id = deviceId(driver, pool, device);
        if (shareID === undefined) {
          whole.add(id);
          continue;
        }
        const total = shared.get(id) ?? new Map<string, bigint>();
        addConsumption(total, parseConsumed(consumedCapacity));
        shared.set(id, total);
      }
    };
    const there = new Set<string>();
    for (const seen of this.claims.resourceClaims()) {
      there.add(seen.metadata.uid ?? '');
      add(this.#newest(seen).status?.allocation);
    }
    for (const uid of this.#written.keys()) if (!there.has(uid)) this.#written.delete(uid);
    for (const allocation of this.#pending.values()) add(allocation);
    return { whole, shared };
  }

  #newest(seen: ResourceClaim): ResourceClaim {
    const { uid = '', resourceVersion = '0' } = seen.metadata;
    const written = this.#written.get(uid);
    if (!written) return seen;
    if (BigInt(written.metadata.resourceVersion ?? '0') > BigInt(resourceVersion)) return written;
    this.#written.delete(uid);
    return seen;
  }
}
