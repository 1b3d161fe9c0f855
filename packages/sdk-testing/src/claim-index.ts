import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
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
 * A cluster index (see `ClusterSpec.index`) that no other test and no running cluster of this machine has. The kernel keeps the
 * claim, until it is released or the process that made it ends; a file per index names that process, for people to read.
 */
export function claimIndex(): ClaimedIndex {
  for (let value = FIRST; value <= LAST; value++) {
    const file = join(tmpdir(), `coxswain-test-index-${value}`);
    if (heldByLiving(file)) continue;
    const claim = claimName(`coxswain-test-index-${value}`);
    if (!claim) continue;
    // Asked after the claim: who had it before may have left a cluster running.
    if (isListening(6443 + value)) {
      claim.close();
      continue;
    }
    writeFileSync(file, String(process.pid));
    const release = () => {
      rmSync(file, { force: true });
      claim.close();
    };
    return { value, release };
  }
  throw new Error(
    `all of the cluster indexes ${FIRST} to ${LAST} are taken, by running tests (${join(tmpdir(), 'coxswain-test-index-*')}) or clusters (cox status)`,
  );
}

/** An abstract socket of that name, which only one process of a machine can have; undefined when another one has it. */
function claimName(name: string): Server | undefined {
  const server = createServer();
  // The error comes with the next tick; that it does not listen is known at once.
  server.on('error', () => {});
  server.listen(`\0${name}`);
  server.unref();
  return server.listening ? server : undefined;
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
