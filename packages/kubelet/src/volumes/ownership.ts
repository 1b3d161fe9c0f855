import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives a volume to a group: group ownership everywhere, the group may do what the owner may, new files inherit the group.
 * `OnRootMismatch` leaves a volume alone whose root is right already.
 */
export async function applyFsGroup(root: string, gid: number, policy: 'Always' | 'OnRootMismatch' = 'Always'): Promise<void> {
  if (policy === 'OnRootMismatch') {
    const stat = await lstat(root);
    if (stat.gid === gid && (stat.mode & 0o2060) === 0o2060) return;
  }
  await own(root, gid);
}

async function own(path: string, gid: number): Promise<void> {
  const stat = await lstat(path);
  await lchown(path, stat.uid, gid);
  if (stat.isSymbolicLink()) return;
  const dir = stat.isDirectory();
  await chmod(path, (stat.mode & 0o7777) | 0o060 | (dir ? 0o2010 : 0));
  if (!dir) return;
  for (const name of await readdir(path)) await own(join(path, name), gid);
}
