import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanSandboxState } from '@coxswain/cri-runtime';
import { umountAll } from '@coxswain/linux';

/** Remove what a server leaves in its state folder when it is killed for good. Containers must have ended; no server may be running. Idempotent. */
export async function cleanCrioState(state: string): Promise<void> {
  await cleanSandboxState(join(state, 'sandboxes'));
  // In these are other people's files and the images' layers: unmounted, before anything is removed.
  for (const name of ['containers', 'mapped', 'l']) await umountAll(join(state, name));
  await rm(state, { recursive: true, force: true });
}
