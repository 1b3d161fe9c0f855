import { readFile } from 'node:fs/promises';
import { type NetworkInterface, parseNetDev } from '@coxswain/linux';
import type { ContainerRecord } from '../container/container-record.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';

/**
 * A pod's interfaces but loopback, read through a process that lives in its network namespace. Undefined: the pod has the host's network,
 * or nothing runs in it.
 */
export async function podInterfaces(sandbox: SandboxRecord, containers: readonly ContainerRecord[]): Promise<NetworkInterface[] | undefined> {
  const pid = sandbox.pausePid ?? containers.find((c) => c.status.state === 'running')?.status.pid;
  if (!sandbox.namespaces.net || pid === undefined) return undefined;
  return parseNetDev(await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => ''));
}
