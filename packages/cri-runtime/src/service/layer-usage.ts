import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerUsage } from './stats.js';

/** Disk space and files of a folder's tree; undefined when it is not there. What goes away meanwhile is not counted. */
export async function folderUsage(dir: string): Promise<LayerUsage | undefined> {
  const top = await lstat(dir).catch(() => undefined);
  if (!top) return undefined;
  let [size, inodes] = [BigInt(top.blocks) * 512n, 1n];
  try {
    for await (const entry of await opendir(dir)) {
      const path = join(dir, entry.name);
      const below = entry.isDirectory()
        ? await folderUsage(path)
        : await lstat(path).then(
            (s) => ({ size: BigInt(s.blocks) * 512n, inodes: 1n }),
            () => undefined,
          );
      size += below?.size ?? 0n;
      inodes += below?.inodes ?? 0n;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return { size, inodes };
}
