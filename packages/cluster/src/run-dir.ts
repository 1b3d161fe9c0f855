import { mkdir, readdir, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { mountTmpfs } from '@coxswain/linux';
import type { ClusterConfig } from './cluster-spec.js';

/** statfs(2). */
const IN_MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

/**
 * The folder of what does not outlive the machine, in memory as /run is: bundles, namespaces and sockets of each pod are some twenty files,
 * and a disk may take a millisecond for each. Where /run is on a disk the cluster mounts its own; `unmountAll` takes it away.
 */
export async function prepareRunDir({ paths: { run } }: ClusterConfig): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o711 });
  if (IN_MEMORY.includes((await statfs(run)).type)) return;
  // What a running or killed cluster has there must not be hidden.
  if ((await readdir(run)).length > 0) return;
  await mountTmpfs({ target: run, mode: 0o711, sizeBytes: Math.floor(totalmem() / 5), noSuid: true, noDev: true });
}
