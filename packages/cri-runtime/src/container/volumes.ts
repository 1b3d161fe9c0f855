import { lchown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecMount } from '@coxswain/oci';
import { hostId, type UserMappings } from '../sandbox/user-mappings.js';
import { resolveInRootfs } from './rootfs-files.js';

/** Gives a folder to whom its owner is in a pod's user namespace. */
export async function shiftOwner(dir: string, users: UserMappings): Promise<void> {
  const { uid, gid } = await stat(dir);
  await lchown(dir, hostId(users.uids, uid) ?? uid, hostId(users.gids, gid) ?? gid);
}

/** Anonymous volumes an image declares: a folder each, owned as in the image. `layers`: uppermost first. */
export async function declaredVolumes(
  volumes: Readonly<Record<string, object>> | undefined,
  dir: string,
  layers: readonly string[],
  users?: UserMappings,
): Promise<SpecMount[]> {
  const out: SpecMount[] = [];
  for (const [i, path] of Object.keys(volumes ?? {})
    .sort()
    .entries()) {
    const source = join(dir, 'volumes', String(i));
    await mkdir(source, { recursive: true, mode: 0o755 });
    const place = await resolveInRootfs(layers, path);
    for (const layer of place === undefined ? [] : layers) {
      const original = await stat(join(layer, place as string)).catch(() => undefined);
      if (!original) continue;
      await lchown(source, original.uid, original.gid);
      break;
    }
    if (users) await shiftOwner(source, users);
    out.push({ destination: path, type: 'bind', source, options: ['rbind', 'rprivate', 'rw'] });
  }
  return out;
}
