import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanSandboxState } from '@coxswain/cri-runtime';
import { umountAll } from '@coxswain/linux';

/** Remove what a server leaves in its state folder when it is killed for good. Containers must have ended; no server may be running. Idempotent. */
export async function cleanCrioState(state: string): Promise<void> {
  await cleanSandboxState(join(state, 'sandboxes'));
  await umountAll(join(state, 'containers'));
  await rm(state, { recursive: true, force: true });
}
