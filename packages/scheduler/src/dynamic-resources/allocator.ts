import type { AllocationResult, Node, Toleration } from '@coxswain/api';
import { toleratesAny } from '../plugins/tolerations.js';
import { allocationResult, type Picked } from './allocation-result.js';
import { constraintState, type ConstraintState } from './constraints.js';
import { isAllocated, type AllocatedDevices } from './claim-tracker.js';
import { addConsumption, consumptionOf, fits, type Consumption } from './consumption.js';
import { Counters } from './counters.js';
import { DeviceSelectors } from './device-selectors.js';
import type { Pools, NodeDevices, PoolDevice } from './pools.js';
import { ClaimError, claimName, MAX_DEVICES, type Alternative, type WantedClaim } from './wanted.js';

/** Why a node will not do, when it is more than that devices are lacking. */
export class NodeProblem extends Error {
  override readonly name = 'NodeProblem';
}

export interface AllocatorOptions {
  readonly claims: readonly WantedClaim[];
  readonly pools: Pools;
  /** Devices that others have; without those that somebody only administers. */
  readonly allocated: AllocatedDevices;
  /** A new UID. */
  readonly uuid: () => string;
  /** Throws when the search has taken too long. */
  readonly checkTime: () => void;
}

/** Finds devices for claims on one node after the other: the first full solution counts. */
export class Allocator {
  readonly #selectors = new DeviceSelectors();

  constructor(readonly options: AllocatorOptions) {}

  /** An allocation for each claim; undefined: the node has not got what they ask for. Throws `ClaimError`, `NodeProblem`. */
  allocate(node: Node): AllocationResult[] | undefined {
    const { claims, pools } = this.options;
    const here = pools.on(node);
    const search = new Search(this.options, this.#selectors, here);
    if (!search.run()) {
      if (here.pools.some((p) => p.invalid)) throw new NodeProblem('invalid resource pools were encountered');
      return undefined;
    }
    return claims.map((wanted, i) =>
      allocationResult(wanted, search.chosen[i] as Alternative[], search.picked[i] as Picked[], { node, uuid: this.options.uuid }),
    );
  }
}

/** Tries all devices for all requests, one by one, and takes back what leads nowhere. */
class Search {
  readonly picked: Picked[][];
  readonly chosen: Alternative[][];
  readonly #constraints: readonly (readonly ConstraintState[])[];
  readonly #counters: Counters;
  /** Claims a device is being picked for: one, unless it is only administered. */
  readonly #taken = new Map<string, Set<number>>();
  /** What is picked so far of devices that may be shared. */
  readonly #shares = new Map<string, { count: number; readonly total: Map<string, bigint> }>();
  readonly #all = new Map<Alternative, readonly PoolDevice[]>();

  constructor(
    private readonly options: AllocatorOptions,
    private readonly selectors: DeviceSelectors,
    private readonly here: NodeDevices,
  ) {
    this.picked = options.claims.map(() => []);
    this.chosen = options.claims.map(() => []);
    this.#constraints = options.claims.map(({ constraints }) => constraints.map(constraintState));
    this.#counters = new Counters(options.allocated);
  }

  run(claim = 0): boolean {
    return claim === this.options.claims.length || this.#request(claim, 0);
  }

  #request(c: number, r: number): boolean {
    const alternatives = this.options.claims[c]?.requests[r];
    if (!alternatives) return this.run(c + 1);
    const chosen = this.chosen[c] as Alternative[];
    for (const alternative of alternatives) {
      chosen[r] = alternative;
      const { count } = alternative;
      if (count === undefined ? this.#everyOne(c, r, alternative) : this.#some(c, r, alternative, count, 0)) return true;
    }
    return false;
  }

  /** `left` more devices, from the one at `from` on: in which order they are picked makes no difference. */
  #some(c: number, r: number, alternative: Alternative, left: number, from: number): boolean {
    if (left === 0) return this.#request(c, r + 1);
    if ((this.picked[c] as Picked[]).length + left > MAX_DEVICES) return false;
    this.options.checkTime();
    const { devices } = this.here;
    for (let i = from; i < devices.length; i++) {
      const of = devices[i] as PoolDevice;
      if (!this.#free(c, alternative, of) || !this.#selectable(c, alternative, of) || !this.#take(c, alternative, of)) continue;
      // What may be shared may be picked once more.
      if (this.#some(c, r, alternative, left - 1, isShared(of) ? i : i + 1)) return true;
      this.#giveBack(c, alternative, of);
    }
    return false;
  }

  #everyOne(c: number, r: number, alternative: Alternative): boolean {
    const devices = this.#matching(c, alternative);
    const picked = this.picked[c] as Picked[];
    if (devices.length === 0 || picked.length + devices.length > MAX_DEVICES) return false;
    this.options.checkTime();
    const taken: PoolDevice[] = [];
    for (const of of devices) {
      if (!this.#free(c, alternative, of) || !this.#take(c, alternative, of, true)) break;
      taken.push(of);
    }
    if (taken.length === devices.length && this.#request(c, r + 1)) return true;
    for (const of of taken.reverse()) this.#giveBack(c, alternative, of);
    return false;
  }

  /** All devices a request means; who means all must know all. */
  #matching(c: number, alternative: Alternative): readonly PoolDevice[] {
    let found = this.#all.get(alternative);
    if (found) return found;
    for (const { id, incomplete, invalid } of this.here.pools)
      if (incomplete || invalid)
        throw new NodeProblem(
          `claim ${this.#claim(c)}, request ${alternative.name}: asks for all devices, but resource pool ${id} is currently ${incomplete ? 'being updated' : 'invalid'}`,
        );
    found = this.here.devices.filter((of) => this.#selectable(c, alternative, of));
    this.#all.set(alternative, found);
    return found;
  }

  #claim(c: number): string {
    const wanted = this.options.claims[c];
    return wanted ? claimName(wanted.claim) : '';
  }

  #free(c: number, { adminAccess }: Alternative, of: PoolDevice): boolean {
    const by = this.#taken.get(of.id);
    if (adminAccess) return !by?.has(c);
    const { whole } = this.options.allocated;
    return !whole.has(of.id) && (isShared(of) || !by?.size);
  }

  /** What this pick takes of the capacities; undefined: the device has not got it, or no longer. */
  #consumption({ capacity }: Alternative, { id, device }: PoolDevice, shared: boolean): Consumption | undefined {
    const taken = consumptionOf(capacity, device.capacity);
    if (!taken || !shared) return taken;
    return fits(taken, [this.options.allocated.shared.get(id), this.#shares.get(id)?.total], device.capacity) ? taken : undefined;
  }

  #selectable(c: number, alternative: Alternative, of: PoolDevice): boolean {
    return this.selectors.matches(alternative, of, this.#claim(c));
  }

  /** Whether the device may be added to what is picked so far; it is then. `must`: a constraint that is in the way is the claim's mistake. */
  #take(c: number, alternative: Alternative, of: PoolDevice, must = false): boolean {
    if (!tolerated(alternative, of)) return false;
    const shared = isShared(of) && !alternative.adminAccess;
    const taken = this.#consumption(alternative, of, shared);
    if (!taken) return false;
    const constraints = this.#constraints[c] ?? [];
    for (const [i, constraint] of constraints.entries()) {
      if (constraint.add(alternative, of)) continue;
      for (const before of constraints.slice(0, i)) before.remove(alternative, of);
      if (must)
        throw new ClaimError(
          `claim ${this.#claim(c)}, request ${alternative.name}: cannot add device ${of.id} because a claim constraint would not be satisfied`,
        );
      return false;
    }
    if (!this.#counted(of) && !this.#counters.take(of)) {
      for (const constraint of constraints) constraint.remove(alternative, of);
      return false;
    }
    const by = this.#taken.get(of.id);
    if (by) by.add(c);
    else this.#taken.set(of.id, new Set([c]));
    if (shared) {
      const share = this.#shares.get(of.id) ?? { count: 0, total: new Map<string, bigint>() };
      share.count++;
      addConsumption(share.total, taken);
      this.#shares.set(of.id, share);
    }
    this.picked[c]?.push({ alternative, of, ...(shared && { share: taken }) });
    return true;
  }

  /** Shares of one device use up the counters it is cut from once. */
  #counted(of: PoolDevice): boolean {
    return isShared(of) && (isAllocated(this.options.allocated, of.id) || (this.#shares.get(of.id)?.count ?? 0) > 0);
  }

  #giveBack(c: number, alternative: Alternative, of: PoolDevice): void {
    const share = this.picked[c]?.pop()?.share;
    const shares = this.#shares.get(of.id);
    if (share && shares) {
      shares.count--;
      addConsumption(shares.total, share, -1n);
    }
    if (!share || !shares?.count) this.#taken.get(of.id)?.delete(c);
    if (!this.#counted(of)) this.#counters.giveBack(of);
    for (const constraint of this.#constraints[c] ?? []) constraint.remove(alternative, of);
  }
}

const isShared = ({ device }: PoolDevice): boolean => device.allowMultipleAllocations === true;

/** Taints of other effects keep nobody away. */
function tolerated({ tolerations }: Alternative, { device }: PoolDevice): boolean {
  for (const taint of device.taints ?? []) {
    if (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') continue;
    if (!toleratesAny(tolerations as readonly Toleration[], taint)) return false;
  }
  return true;
}
