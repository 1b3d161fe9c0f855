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

/**
 * A cluster index (see `ClusterSpec.index`) that no other test run and no running cluster of this machine has: a file per index
 * names the process that holds it.
 */
export function claimIndex(): ClaimedIndex {
  for (let value = FIRST; value <= LAST; value++) {
    const file = join(tmpdir(), `coxswain-test-index-${value}`);
    if (heldByLiving(file) || isListening(6443 + value)) continue;
    rmSync(file, { force: true });
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
    } catch {
      continue;
    }
    return { value, release: () => rmSync(file, { force: true }) };
  }
  throw new Error(
    `all of the cluster indexes ${FIRST} to ${LAST} are taken, by running tests (${join(tmpdir(), 'coxswain-test-index-*')}) or clusters (cox status)`,
  );
}

function heldByLiving(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether anybody listens on a TCP port, from the kernel's table. */
function isListening(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, local, , state]) => state === '0A' && local?.endsWith(suffix)),
  );
}
