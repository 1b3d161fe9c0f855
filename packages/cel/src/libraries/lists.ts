import type { Environment } from '@marcbachmann/cel-js';
import { canonicalJson } from '@coxswain/apimachinery';

type Comparable = string | number | bigint | boolean;

const less = (a: unknown, b: unknown): boolean => (a as Comparable) < (b as Comparable);

/** Text by which values of one type are told apart. */
const identity = (value: unknown): string => `${typeof value}:${typeof value === 'object' ? canonicalJson(plain(value)) : String(value)}`;

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), plain(member)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  return value;
}

/** Kubernetes' list library, and sets. */
export function registerLists(env: Environment): void {
  env.registerFunction('list.isSorted(): bool', (list: unknown[]) => list.every((item, i) => i === 0 || !less(item, list[i - 1])));
  env.registerFunction('list.sum(): dyn', (list: unknown[]) => {
    if (list.length === 0) return 0n;
    return list.slice(1).reduce((sum, item) => (typeof sum === 'bigint' ? sum + (item as bigint) : (sum as number) + (item as number)), list[0]);
  });
  env.registerFunction('list.min(): dyn', (list: unknown[]) => extreme('min', list, (a, b) => less(b, a)));
  env.registerFunction('list.max(): dyn', (list: unknown[]) => extreme('max', list, less));
  env.registerFunction('list.indexOf(dyn): int', (list: unknown[], value: unknown) => BigInt(list.findIndex((item) => identity(item) === identity(value))));
  env.registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], value: unknown) =>
    BigInt(list.findLastIndex((item) => identity(item) === identity(value))),
  );
  env.registerFunction('list.reverse(): list<dyn>', (list: unknown[]) => [...list].reverse());
  env.registerFunction('list.distinct(): list<dyn>', (list: unknown[]) => [...new Map(list.map((item) => [identity(item), item])).values()]);
  env.registerFunction('list.slice(int, int): list<dyn>', (list: unknown[], from: bigint, to: bigint) => list.slice(Number(from), Number(to)));
  env.registerFunction('list.flatten(): list<dyn>', (list: unknown[]) => list.flat());
  class Sets {}
  env.registerType('Sets', Sets);
  env.registerConstant('sets', 'Sets', new Sets());
  const keys = (list: unknown[]) => new Set(list.map(identity));
  env.registerFunction('Sets.contains(list, list): bool', (_: Sets, a: unknown[], b: unknown[]) => subset(keys(b), keys(a)));
  env.registerFunction('Sets.equivalent(list, list): bool', (_: Sets, a: unknown[], b: unknown[]) => subset(keys(b), keys(a)) && subset(keys(a), keys(b)));
  env.registerFunction('Sets.intersects(list, list): bool', (_: Sets, a: unknown[], b: unknown[]) => {
    const other = keys(b);
    return [...keys(a)].some((key) => other.has(key));
  });
}

const subset = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].every((key) => b.has(key));

function extreme(name: string, list: unknown[], better: (a: unknown, b: unknown) => boolean): unknown {
  if (list.length === 0) throw new Error(`${name} called on empty list`);
  return list.reduce((best, item) => (better(best, item) ? item : best));
}
