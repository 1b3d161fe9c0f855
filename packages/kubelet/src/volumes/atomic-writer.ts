import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface PayloadFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid?: number;
}

export interface WriteOptions {
  /** Names the folder of this revision; must differ between writes. */
  readonly stamp: string;
  /** Group of every file and folder, which it may read as the owner does. */
  readonly gid?: number;
}

const DATA = '..data';

/**
 * Makes `dir` show exactly `payload` (relative path → file), all at once: files live in a stamped folder, `..data` points at it,
 * and the visible names are links through `..data`. Readers see the old set or the new, never a mixture. Returns whether it wrote.
 */
export async function writeAtomically(dir: string, payload: ReadonlyMap<string, PayloadFile>, options: WriteOptions): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  await mkdir(dir, { recursive: true });
  const current = await readlink(join(dir, DATA)).catch(() => undefined);
  if (current !== undefined && (await sameContent(join(dir, current), payload))) {
    await link(dir, payload);
    return false;
  }
  const folder = `..${options.stamp}`;
  const target = join(dir, folder);
  await mkdir(target, { mode: 0o755 });
  await chmod(target, 0o755);
  for (const [path, file] of payload) {
    const full = join(target, path);
    if (path.includes('/')) await mkdir(dirname(full), { recursive: true, mode: 0o755 });
    await writeFile(full, file.data, { mode: file.mode });
    await chmod(full, options.gid === undefined ? file.mode : file.mode | ((file.mode & 0o600) >> 3));
    if (file.uid !== undefined || options.gid !== undefined) await chown(full, file.uid ?? 0, options.gid ?? 0);
  }
  if (options.gid !== undefined) await ownFolders(target, options.gid);
  const fresh = join(dir, '..data_tmp');
  await rm(fresh, { force: true });
  await symlink(folder, fresh);
  await rename(fresh, join(dir, DATA));
  await link(dir, payload);
  if (current !== undefined && current !== folder) await rm(join(dir, current), { recursive: true, force: true });
  return true;
}

async function ownFolders(path: string, gid: number): Promise<void> {
  await chown(path, 0, gid);
  await chmod(path, 0o2775);
  for (const entry of await readdir(path, { withFileTypes: true })) if (entry.isDirectory()) await ownFolders(join(path, entry.name), gid);
}

async function link(dir: string, payload: ReadonlyMap<string, PayloadFile>): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] as string));
  for (const name of await readdir(dir)) {
    if (name.startsWith('..')) continue;
    if (wanted.has(name)) wanted.delete(name);
    else if ((await lstat(join(dir, name))).isSymbolicLink()) await rm(join(dir, name), { force: true });
  }
  for (const name of wanted) await symlink(join(DATA, name), join(dir, name));
}

async function sameContent(dir: string, payload: ReadonlyMap<string, PayloadFile>): Promise<boolean> {
  const found = await files(dir, '');
  if (found.length !== payload.size) return false;
  for (const path of found) {
    const wanted = payload.get(path);
    if (!wanted || !Buffer.from(wanted.data).equals(await readFile(join(dir, path)))) return false;
  }
  return true;
}

async function files(dir: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(dir, prefix), { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(entries.map((e) => (e.isDirectory() ? files(dir, `${prefix}${e.name}/`) : [`${prefix}${e.name}`])));
  return nested.flat();
}

function checkPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..') || path.length > 4096) {
    throw new Error(`invalid path: must be relative, without '..': ${JSON.stringify(path)}`);
  }
}
