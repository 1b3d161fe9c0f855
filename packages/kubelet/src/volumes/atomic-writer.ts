import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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
  /** Group of every file and folder. The volume is for reading: that is what the group may do, whatever the mode says. */
  readonly gid?: number;
}

const DATA = '..data';

/**
 * Makes `dir` show exactly `payload` (relative path → file), all at once: files live in a stamped folder, `..data` points at it,
 * and the visible names are links through `..data`. Readers see the old set or the new, never a mixture. Returns whether it wrote.
 *
 * Synchronous: the payload is an API object's (1 MiB at most) and the folder mostly in memory, so that the twenty calls of a small
 * volume take less than one trip through the thread pool.
 */
export function writeAtomically(dir: string, payload: ReadonlyMap<string, PayloadFile>, options: WriteOptions): boolean {
  for (const path of payload.keys()) checkPath(path);
  mkdirSync(dir, { recursive: true });
  const current = currentFolder(dir);
  if (current !== undefined && sameContent(join(dir, current), payload)) {
    link(dir, payload);
    return false;
  }
  openRoot(dir, options.gid);
  const folder = `..${options.stamp}`;
  const target = join(dir, folder);
  mkdirSync(target, { mode: 0o755 });
  chmodSync(target, 0o755);
  for (const [path, file] of payload) {
    const full = join(target, path);
    if (path.includes('/')) mkdirSync(dirname(full), { recursive: true, mode: 0o755 });
    writeFileSync(full, file.data, { mode: file.mode });
    chmodSync(full, options.gid === undefined ? file.mode : file.mode | 0o440);
    if (file.uid !== undefined || options.gid !== undefined) chownSync(full, file.uid ?? 0, options.gid ?? 0);
  }
  if (options.gid !== undefined) ownFolders(target, options.gid);
  const fresh = join(dir, '..data_tmp');
  rmSync(fresh, { force: true });
  symlinkSync(folder, fresh);
  renameSync(fresh, join(dir, DATA));
  link(dir, payload);
  if (current !== undefined && current !== folder) rmSync(join(dir, current), { recursive: true, force: true });
  return true;
}

/** The volume itself is open as an emptyDir is; what is in it keeps its own modes. */
function openRoot(dir: string, gid: number | undefined): void {
  if (gid !== undefined) chownSync(dir, 0, gid);
  chmodSync(dir, gid === undefined ? 0o777 : 0o2777);
}

function ownFolders(path: string, gid: number): void {
  chownSync(path, 0, gid);
  chmodSync(path, 0o2775);
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) ownFolders(join(path, entry.name), gid);
}

function link(dir: string, payload: ReadonlyMap<string, PayloadFile>): void {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] as string));
  for (const name of readdirSync(dir)) {
    if (name.startsWith('..')) continue;
    if (wanted.has(name)) wanted.delete(name);
    else if (lstatSync(join(dir, name)).isSymbolicLink()) rmSync(join(dir, name), { force: true });
  }
  for (const name of wanted) symlinkSync(join(DATA, name), join(dir, name));
}

function currentFolder(dir: string): string | undefined {
  try {
    return readlinkSync(join(dir, DATA));
  } catch {
    return undefined;
  }
}

/** False also when the folder `..data` points at is gone. */
function sameContent(dir: string, payload: ReadonlyMap<string, PayloadFile>): boolean {
  if (!existsSync(dir)) return false;
  const found = files(dir, '');
  if (found.length !== payload.size) return false;
  for (const path of found) {
    const wanted = payload.get(path);
    if (!wanted || !Buffer.from(wanted.data).equals(readFileSync(join(dir, path)))) return false;
  }
  return true;
}

function files(dir: string, prefix: string): string[] {
  const entries = readdirSync(join(dir, prefix), { withFileTypes: true });
  return entries.flatMap((e) => (e.isDirectory() ? files(dir, `${prefix}${e.name}/`) : [`${prefix}${e.name}`]));
}

function checkPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..') || path.length > 4096) {
    throw new Error(`invalid path: must be relative, without '..': ${JSON.stringify(path)}`);
  }
}
