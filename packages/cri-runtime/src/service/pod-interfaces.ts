import { readFile } from 'node:fs/promises';
import type { ContainerRecord } from '../container/container-record.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';

/** One direction's counters of an interface since it was made. */
export interface InterfaceCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

export interface PodInterface {
  readonly name: string;
  readonly received: InterfaceCounters;
  readonly sent: InterfaceCounters;
}

/**
 * A pod's interfaces but loopback, read through a process that lives in its network namespace. Undefined: the pod has the host's network,
 * or nothing runs in it.
 */
export async function podInterfaces(sandbox: SandboxRecord, containers: readonly ContainerRecord[]): Promise<PodInterface[] | undefined> {
  const pid = sandbox.pausePid ?? containers.find((c) => c.status.state === 'running')?.status.pid;
  if (!sandbox.namespaces.net || pid === undefined) return undefined;
  return parseNetDev(await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => ''));
}

/** `/proc/<pid>/net/dev`. Pure. */
export function parseNetDev(text: string): PodInterface[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [name, rest] = line.trim().split(/:\s*/);
      if (!name || !rest || name === 'lo') return [];
      const n = rest.split(/\s+/).map(Number);
      const counters = (at: number) => ({ bytes: n[at] ?? 0, packets: n[at + 1] ?? 0, errors: n[at + 2] ?? 0, dropped: n[at + 3] ?? 0 });
      return [{ name, received: counters(0), sent: counters(8) }];
    });
}
