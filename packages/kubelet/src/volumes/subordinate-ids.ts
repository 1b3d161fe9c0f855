import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface SubordinateIds {
  readonly first: number;
  readonly count: number;
}

/** What `subuid` and `subgid` (subuid(5)) give a user: one range, the same in both. Undefined: nothing. Throws for anything else. */
export async function readSubordinateIds(user: string, etc: string): Promise<SubordinateIds | undefined> {
  const [uids, gids] = await Promise.all(['subuid', 'subgid'].map((name) => ofUser(user, join(etc, name))));
  if (JSON.stringify(uids) !== JSON.stringify(gids)) throw new Error(`mismatched subuids and subgids for user "${user}"`);
  if (!uids || uids.length === 0) return undefined;
  if (uids.length > 1) throw new Error(`user "${user}" has ${uids.length} ranges of subordinate ids, one is supported`);
  return uids[0];
}

async function ofUser(user: string, path: string): Promise<SubordinateIds[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name]) => name === user)
    .map((parts) => {
      const [first, count] = parts.slice(1).map(Number);
      if (parts.length !== 3 || !Number.isSafeInteger(first) || !Number.isSafeInteger(count) || (count as number) <= 0)
        throw new Error(`${path}: "${parts.join(':')}" is not user:first:count`);
      return { first: first as number, count: count as number };
    });
}
