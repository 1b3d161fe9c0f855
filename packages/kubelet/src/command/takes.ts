import { parseDuration } from '@coxswain/apimachinery';
import { quantityValue } from '../pod/quantity.js';

/** Checks a value of a configuration and answers it as our options have it; throws a `TypeError` with the reason. */
export type Take<T> = (value: unknown) => T;

export const fail = (wanted: string): never => {
  throw new TypeError(`must be ${wanted}`);
};

export const text: Take<string> = (v) => (typeof v === 'string' ? v : fail('a string'));
export const number: Take<number> = (v) => (Number.isInteger(v) ? (v as number) : fail('a whole number'));
export const boolean: Take<boolean> = (v) => (typeof v === 'boolean' ? v : fail('true or false'));
export const texts: Take<string[]> = (v) => (Array.isArray(v) ? v.map(text) : fail('a list of strings'));
export const record: Take<Record<string, unknown>> = (v) =>
  typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : fail('an object');
export const amounts: Take<Record<string, string>> = (v) => within(record(v), text);

export const between =
  (low: number, high: number): Take<number> =>
  (v) => {
    const n = number(v);
    return n >= low && n <= high ? n : fail(`from ${low} to ${high}`);
  };
export const atLeast =
  (low: number): Take<number> =>
  (v) => {
    const n = number(v);
    return n >= low ? n : fail(`at least ${low}`);
  };
export const port = between(0, 65_535);

export const oneOf =
  <T extends string>(...values: readonly T[]): Take<T> =>
  (v) =>
    values.includes(v as T) ? (v as T) : fail(values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`);

/** A quantity of bytes (`10Mi`). */
export const bytes: Take<number> = (v) => (/^\d+(\.\d+)?([KMGTPE]i?|[mk])?$/.test(text(v)) ? quantityValue(text(v)) : fail('a quantity such as 10Mi'));

/** A duration as Go writes it (`1m30s`), in milliseconds. */
export const ms: Take<number> = (v) => {
  const total = parseDuration(text(v));
  return total === undefined || total < 0 ? fail('a duration such as 40s or 1m30s') : Math.round(total * 1000) / 1000;
};

/** Every entry of a map; the reason names the key. */
export function within<T>(entries: Readonly<Record<string, unknown>>, take: Take<T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, named(key, () => take(value))]));
}

/** An object of which we know these fields, and refuse all others by name. */
export function fields<T extends object>(takes: { readonly [K in keyof T]-?: Take<T[K]> }): Take<Partial<T>> {
  return (value) => {
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(record(value))) {
      const take = Object.hasOwn(takes, key) ? (takes as Readonly<Record<string, Take<unknown>>>)[key] : undefined;
      if (!take) throw new TypeError(`${key}: unknown field`);
      // In YAML `field:` alone is null: not given.
      if (inner !== null) out[key] = named(key, () => take(inner));
    }
    return out as Partial<T>;
  };
}

/** What `make` answers; what it throws says where. */
export function named<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new TypeError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
