import { CriError } from './rpc/status.js';

/** 64 hex digits, as every runtime's. */
export const newId = (random: { bytes(length: number): Uint8Array }) => Buffer.from(random.bytes(32)).toString('hex');

/** A value by its id or an unambiguous prefix of it. */
export function byIdOrPrefix<T>(values: ReadonlyMap<string, T>, id: string): T | undefined {
  const exact = values.get(id);
  if (exact || id === '' || id.length >= 64) return exact;
  const matches = [...values.keys()].filter((k) => k.startsWith(id));
  if (matches.length > 1) throw new CriError('invalidArgument', `id prefix ${id} is ambiguous`);
  return matches[0] === undefined ? undefined : values.get(matches[0]);
}

/** Whether labels have all that a filter of CRI names. */
export function matchesLabels(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
