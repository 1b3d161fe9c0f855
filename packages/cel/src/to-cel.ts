/** A value as expressions see it: whole numbers are ints, objects are maps. For values without a schema. */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toCel);
  const out = new Map<string, unknown>();
  for (const [key, member] of Object.entries(value)) if (member !== undefined) out.set(key, toCel(member));
  return out;
}

/** Back to JSON. */
export function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), fromCel(member)]));
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (Object.getPrototypeOf(value) === Object.prototype) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromCel(member)]));
  return String(value);
}
