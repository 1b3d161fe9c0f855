import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deletePinnedNamespaces, umountAll } from '@coxswain/linux';

/** Unpin and unmount what a killed server's sandboxes left in its state folder. Containers must have ended. Idempotent. */
export async function cleanSandboxState(sandboxesDir: string): Promise<void> {
  for (const id of await readdir(sandboxesDir).catch(() => [] as string[])) {
    await deletePinnedNamespaces(join(sandboxesDir, id, 'ns'));
    await umountAll(join(sandboxesDir, id, 'shm'));
  }
}
