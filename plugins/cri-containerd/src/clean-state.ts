import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanSandboxState } from '@coxswain/cri-runtime';
import { signalProcess, umountAll } from '@coxswain/linux';
import { readIdentity } from './containerd/daemon.js';

/**
 * Remove what a CRI server leaves in its state folder when it is killed for good: namespaces, shared memory, image mounts, pipes
 * and the process that holds them. Containers must have ended; no server may be running. Idempotent.
 */
export async function cleanCriState(state: string): Promise<void> {
  const keeper = await readIdentity(join(state, 'keeper', 'pid'));
  if (keeper) signalProcess(keeper, 'SIGKILL');
  const names = (dir: string) => readdir(join(state, dir)).catch(() => [] as string[]);
  await cleanSandboxState(join(state, 'sandboxes'));
  for (const id of await names('image-mounts')) {
    for (const n of await names(join('image-mounts', id))) await umountAll(join(state, 'image-mounts', id, n));
  }
  // In these are other people's files and the images' layers: unmounted, before anything is removed.
  for (const name of ['mapped', 'l']) await umountAll(join(state, name));
  await rm(state, { recursive: true, force: true });
}
