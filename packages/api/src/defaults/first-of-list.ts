/**
 * A list and the field that held its only item before there were lists say the same. Where they differ the older field counts:
 * its writer knows of no list. `undefined`: neither is set.
 */
export function firstOfList<T>(first: string | undefined, list: readonly T[] | undefined, of: (item: T) => string, make: (text: string) => T): T[] | undefined {
  if (first && (!list?.[0] || of(list[0]) !== first)) return [make(first)];
  return list?.length ? [...list] : undefined;
}
