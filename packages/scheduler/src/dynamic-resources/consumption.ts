import { formatQuantity, parseQuantity, type Device, type DeviceCapacity } from '@coxswain/api';

/** What is taken of a device's capacities, by name. */
export type Consumption = ReadonlyMap<string, bigint>;

type Capacities = NonNullable<Device['capacity']>;
export type CapacityRequests = Readonly<Record<string, string>>;

const amount = (quantity: string): bigint => parseQuantity(quantity).nanos;

/** How much one allocation takes of each capacity, as policies round it; undefined when the device cannot serve the request, whoever else has it. */
export function consumptionOf(requests: CapacityRequests, capacities: Capacities = {}): Map<string, bigint> | undefined {
  if (Object.keys(requests).some((name) => !(name in capacities))) return undefined;
  const out = new Map<string, bigint>();
  for (const [name, capacity] of Object.entries(capacities)) {
    const taken = rounded(requests[name], capacity);
    if (taken === undefined || taken > amount(capacity.value)) return undefined;
    out.set(name, taken);
  }
  return out;
}

/** Up to what the policy lets requests have. Nothing asked for: the policy's default, or all there is. */
function rounded(requested: string | undefined, { value, requestPolicy }: DeviceCapacity): bigint | undefined {
  const { default: usual, validValues, validRange } = requestPolicy ?? {};
  if (requested === undefined) return amount(usual ?? value);
  const wanted = amount(requested);
  if (validValues?.length) return validValues.map(amount).find((valid) => valid >= wanted);
  if (!validRange) return wanted;
  const min = amount(validRange.min ?? '0');
  const step = validRange.step === undefined ? 0n : amount(validRange.step);
  let taken = wanted;
  if (taken < min) taken = min;
  if (step > 0n) taken = min + ((taken - min + step - 1n) / step) * step;
  return validRange.max !== undefined && taken > amount(validRange.max) ? undefined : taken;
}

/** Whether a device has room for one more allocation beside what others have taken of it. */
export function fits(taken: Consumption, others: readonly (Consumption | undefined)[], capacities: Capacities = {}): boolean {
  for (const [name, capacity] of Object.entries(capacities)) {
    const sum = others.reduce((all, of) => all + (of?.get(name) ?? 0n), taken.get(name) ?? 0n);
    if (sum > amount(capacity.value)) return false;
  }
  return true;
}

/** Adds to `total`, or takes away with `sign` -1. */
export function addConsumption(total: Map<string, bigint>, of: Consumption, sign: 1n | -1n = 1n): void {
  for (const [name, value] of of) total.set(name, (total.get(name) ?? 0n) + sign * value);
}

/** As a result of an allocation notes it. */
export function consumedCapacity(taken: Consumption, capacities: Capacities = {}): Record<string, string> {
  const entries = [...taken].map(([name, nanos]) => [name, formatQuantity({ nanos, format: parseQuantity(capacities[name]?.value ?? '0').format })]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The other way. */
export const parseConsumed = (of: Readonly<Record<string, string>> | undefined): Consumption =>
  new Map(Object.entries(of ?? {}).map(([name, quantity]) => [name, amount(quantity)]));
