import type { KeyRange } from './types.js';

/** etcd's convention: a range end of one zero byte has no upper bound. */
export const UNBOUNDED = '\0';

/** The exclusive upper bound of a range; undefined: none. A single key k is [k, k + '\0'). */
export function upperBound(range: KeyRange): string | undefined {
  if (range.end === undefined) return `${range.key}\0`;
  return range.end === UNBOUNDED ? undefined : range.end;
}

export function contains(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key;
  return key >= range.key && (range.end === UNBOUNDED || key < range.end);
}

/** The prefix p when the range is exactly "all keys that start with p", else undefined. */
export function asPrefix(range: KeyRange): string | undefined {
  const { key, end } = range;
  if (end === undefined) return undefined;
  if (end === UNBOUNDED) return key === '' ? '' : undefined;
  const last = key.length - 1;
  if (last < 0 || end.length !== key.length) return undefined;
  if (end.charCodeAt(last) !== key.charCodeAt(last) + 1 || !end.startsWith(key.slice(0, last))) return undefined;
  return key;
}

/** The longest prefix that every key of the range has. */
export function commonPrefix(range: KeyRange): string {
  const prefix = asPrefix(range);
  if (prefix !== undefined) return prefix;
  const { key, end } = range;
  if (end === undefined) return key;
  if (end === UNBOUNDED) return '';
  let i = 0;
  while (i < key.length && i < end.length && key.charCodeAt(i) === end.charCodeAt(i)) i++;
  return key.slice(0, i);
}
