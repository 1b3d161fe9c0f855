import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { idmapMount } from '@coxswain/linux';
import type { PodUsers } from '../sandbox/user-mappings.js';
import { removeMounts } from './mapped-mounts.js';

/**
 * Layers of images as a user namespace sees them, for the moment in which they are mounted: an overlay file system has copies of its own of
 * the mounts its layers are on. Below `dir`, which should be short: the names go into mount options.
 */
export class MappedLayers {
  #serial = 0;

  constructor(private readonly dir: string) {}

  async during<T>(layers: readonly string[], users: Pick<PodUsers, 'path'>, use: (mapped: readonly string[]) => Promise<T>): Promise<T> {
    const dir = join(this.dir, String(++this.#serial));
    try {
      const mapped: string[] = [];
      for (const [i, source] of layers.entries()) {
        const target = join(dir, String(i));
        await mkdir(target, { recursive: true, mode: 0o700 });
        await idmapMount({ source, target, userns: users.path });
        mapped.push(target);
      }
      return await use(mapped);
    } finally {
      await removeMounts(dir);
    }
  }

  /** What a crash left. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.dir).catch(() => [] as string[])) await removeMounts(join(this.dir, name));
  }
}
