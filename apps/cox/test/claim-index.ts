import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The first ones are for clusters that people and benches make. */
const FIRST = 2;
const LAST = 7;

export interface ClaimedIndex {
  readonly value: number;
  release(): void;
}

/** An index that no cluster of another test run has: a file per index names the process that holds it. */
export function claimIndex(): ClaimedIndex {
  for (let value = FIRST; value <= LAST; value++) {
    const file = join(tmpdir(), `coxswain-test-index-${value}`);
    if (heldByLiving(file)) continue;
    rmSync(file, { force: true });
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
    } catch {
      continue;
    }
    return { value, release: () => rmSync(file, { force: true }) };
  }
  throw new Error(`all of the cluster indexes ${FIRST} to ${LAST} are taken by running tests (${join(tmpdir(), 'coxswain-test-index-*')})`);
}

function heldByLiving(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
