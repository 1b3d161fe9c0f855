import { parseQuantity, type DeviceCounterConsumption } from '@coxswain/api';
import { isAllocated, type AllocatedDevices } from './claim-tracker.js';
import type { Pool, PoolDevice } from './pools.js';

const amount = (quantity: string): bigint => parseQuantity(quantity).nanos;

/** What is left of the counters that devices of a pool share: a device that is cut from a larger one uses them up. */
export class Counters {
  readonly #left = new Map<Pool, Map<string, bigint>>();

  constructor(private readonly allocated: AllocatedDevices) {}

  /** Whether there is enough for the device; it is taken then. */
  take(of: PoolDevice): boolean {
    const uses = of.device.consumesCounters;
    if (!uses?.length) return true;
    const left = this.#of(of.pool);
    for (const [name, value] of each(uses)) if ((left.get(name) ?? 0n) < value) return false;
    for (const [name, value] of each(uses)) left.set(name, (left.get(name) ?? 0n) - value);
    return true;
  }

  giveBack(of: PoolDevice): void {
    const uses = of.device.consumesCounters;
    if (!uses?.length) return;
    const left = this.#of(of.pool);
    for (const [name, value] of each(uses)) left.set(name, (left.get(name) ?? 0n) + value);
  }

  #of(pool: Pool): Map<string, bigint> {
    let left = this.#left.get(pool);
    if (left) return left;
    left = new Map();
    for (const { spec } of pool.slices)
      for (const set of spec.sharedCounters ?? []) for (const [name, { value }] of Object.entries(set.counters)) left.set(`${set.name}/${name}`, amount(value));
    for (const { spec } of pool.slices)
      for (const { name: device, consumesCounters = [] } of spec.devices ?? [])
        if (isAllocated(this.allocated, `${pool.id}/${device}`))
          for (const [name, value] of each(consumesCounters)) if (left.has(name)) left.set(name, (left.get(name) as bigint) - value);
    this.#left.set(pool, left);
    return left;
  }
}

function* each(uses: readonly DeviceCounterConsumption[]): IterableIterator<[string, bigint]> {
  for (const { counterSet, counters } of uses) for (const [name, { value }] of Object.entries(counters)) yield [`${counterSet}/${name}`, amount(value)];
}
