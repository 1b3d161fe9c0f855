import { mkdir, readdir, realpath, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError, type Mount } from '@coxswain/cri';
import { idmapMount, umountTarget } from '@coxswain/linux';
import { type PodUsers, sameMappings, type UserMappings } from '../sandbox/user-mappings.js';

/** The files of its host path are to be owned inside the pod by whom they are owned outside. */
export const isMapped = (mount: Pick<Mount, 'uidMappings' | 'gidMappings'>) => mount.uidMappings.length > 0 || mount.gidMappings.length > 0;

/** A mount's mappings are its pod's, or there are none. */
export function checkMountMappings(mounts: readonly Mount[], users: UserMappings | undefined): void {
  for (const mount of mounts) {
    if (!isMapped(mount)) continue;
    const where = `the id mappings of the mount of ${mount.containerPath}`;
    if (!users) throw new CriError('invalidArgument', `${where} need a user namespace, which its pod has not`);
    if (!sameMappings({ uids: mount.uidMappings, gids: mount.gidMappings }, users))
      throw new CriError('invalidArgument', `${where} are not its pod's user namespace's`);
  }
}

/**
 * Host paths as id-mapped mounts, for the moment in which a runtime makes a container: it binds them, and its binds keep the mapping. So
 * any runtime can have them, and nothing of them stays.
 *
 * Other people's files are mounted below `dir`: nothing here is ever removed recursively.
 */
export class MappedMounts {
  constructor(private readonly dir: string) {}

  /** Where a container's mount, counted among all of its own, will be. */
  path(containerId: string, index: number): string {
    return join(this.dir, containerId, String(index));
  }

  async make(containerId: string, mounts: readonly Mount[], users: PodUsers): Promise<void> {
    await this.release(containerId);
    for (const [i, wanted] of mounts.entries()) {
      if (!isMapped(wanted) || !wanted.hostPath) continue;
      const [source, target] = [await realpath(wanted.hostPath), this.path(containerId, i)];
      await mkdir(join(this.dir, containerId), { recursive: true, mode: 0o711 });
      if ((await stat(source)).isDirectory()) await mkdir(target);
      else await writeFile(target, '');
      await idmapMount({ source, target, userns: users.path });
    }
  }

  /** Idempotent. */
  async release(containerId: string): Promise<void> {
    await removeMounts(join(this.dir, containerId));
  }

  /** What a crash left. */
  async clear(): Promise<void> {
    for (const id of await readdir(this.dir).catch(() => [] as string[])) await this.release(id);
  }
}

/** A folder of mount points, after whatever is mounted on them. Idempotent. */
export async function removeMounts(dir: string): Promise<void> {
  const names = await readdir(dir).catch(() => undefined);
  if (!names) return;
  for (const name of names) {
    const path = join(dir, name);
    await umountTarget(path);
    // A mount point that is one still is busy, and stays.
    await ((await stat(path)).isDirectory() ? rmdir(path) : unlink(path));
  }
  await rmdir(dir);
}
