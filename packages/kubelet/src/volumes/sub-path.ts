import { chmodSync, closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { lstat, mkdir, realpath, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { bindMount, isMountPoint, umount } from '@coxswain/linux';

// Not in Node's constants: open(2).
const O_PATH = 0o10000000;

/**
 * Shows `subPath` of a volume at `target`, wherever links inside of the volume point: the path is resolved, must stay below the volume,
 * and is then opened part by part without following links, so that a container that swaps a folder for a link in between gains nothing.
 * What was shown before stays if it is still the same; a ConfigMap's file is another one once the ConfigMap changed.
 */
export async function mountSubPath(volume: string, subPath: string, target: string): Promise<void> {
  checkSubPath(subPath);
  const root = await realpath(volume);
  const full = `${root}/${subPath}`;
  const resolved = await realpath(full).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    createBelow(root, subPath, (await stat(root)).mode & 0o7777);
    return realpath(full);
  });
  const inside = relative(root, resolved);
  if (inside === '..' || inside.startsWith('../') || inside.startsWith('/')) throw new Error(`subpath "${subPath}" not within volume path "${volume}"`);
  const fd = openBelow(root, inside);
  try {
    const wanted = fstatSync(fd);
    if (await isMountPoint(target)) {
      const shown = await stat(target);
      if (shown.dev === wanted.dev && shown.ino === wanted.ino) return;
      await umount(target, { lazy: true });
    }
    await removeMountPoint(target);
    if (wanted.isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 });
    else {
      await mkdir(dirname(target), { recursive: true, mode: 0o750 });
      await writeFile(target, '', { mode: 0o640 });
    }
    await bindMount({ source: `/proc/${process.pid}/fd/${fd}`, target });
  } finally {
    closeSync(fd);
  }
}

/** Never recursively: were something still mounted there, it would be emptied. */
async function removeMountPoint(target: string): Promise<void> {
  const found = await lstat(target).catch(() => undefined);
  if (found?.isDirectory()) await rmdir(target);
  else if (found) await unlink(target);
}

function checkSubPath(subPath: string): void {
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw new Error(`subPath must be relative and must not contain '..': ${JSON.stringify(subPath)}`);
}

function step(parent: number, name: string): number {
  return openSync(`/proc/self/fd/${parent}/${name}`, O_PATH | constants.O_NOFOLLOW);
}

/** A descriptor of `path` below `root`; throws at any link. */
function openBelow(root: string, path: string): number {
  let fd = openSync(root, O_PATH | constants.O_NOFOLLOW);
  for (const name of path.split('/').filter(Boolean)) {
    let next: number;
    try {
      next = step(fd, name);
    } finally {
      closeSync(fd);
    }
    fd = next;
    if (fstatSync(fd).isSymbolicLink()) {
      closeSync(fd);
      throw new Error(`subpath part "${name}" became a symbolic link`);
    }
  }
  return fd;
}

/** Makes the missing folders of `path`, as open as the volume itself. */
function createBelow(root: string, path: string, mode: number): void {
  let fd = openSync(root, O_PATH | constants.O_NOFOLLOW);
  try {
    for (const name of path.split('/').filter(Boolean)) {
      try {
        mkdirSync(`/proc/self/fd/${fd}/${name}`, { mode });
        chmodSync(`/proc/self/fd/${fd}/${name}`, mode);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const next = step(fd, name);
      closeSync(fd);
      fd = next;
      if (!fstatSync(fd).isDirectory()) throw new Error(`subpath part "${name}" is not a directory`);
    }
  } finally {
    closeSync(fd);
  }
}
