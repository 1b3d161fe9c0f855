import { CriError } from '@coxswain/cri';
import type { Random } from '@coxswain/sdk';

/** 64 hex digits, as every runtime's. */
export const newId = (random: Pick<Random, 'bytes'>) => Buffer.from(random.bytes(32)).toString('hex');

/** A record by its id or an unambiguous prefix of it. */
export function byIdOrPrefix<T>(records: ReadonlyMap<string, T>, id: string): T | undefined {
  const exact = records.get(id);
  if (exact || id === '') return exact;
  const matches = [...records.keys()].filter((k) => k.startsWith(id));
  if (matches.length > 1) throw new CriError('invalidArgument', `id prefix ${id} is ambiguous`);
  return matches[0] === undefined ? undefined : records.get(matches[0]);
}

export function matchesLabels(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
