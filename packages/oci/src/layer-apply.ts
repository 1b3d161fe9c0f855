import { createHash } from 'node:crypto';
import { chmod, chown, copyFile, lchown, link, lstat, lutimes, mkdir, open, readlink, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decompressed } from './decompress.js';
import type { Digest } from './digest.js';
import { OciError } from './error.js';
import { readTar, type TarHeader } from './tar-reader.js';

/** System calls Node lacks; `@coxswain/linux` has them as `fileCalls`. */
export interface LayerCalls {
  /** mknod(2). `mode` holds the file type's bits too. */
  mknod(path: string, mode: number, major: number, minor: number): void;
  /** lsetxattr(2). */
  setXattr(path: string, name: string, value: Uint8Array): void;
}

export interface ApplyLayerOptions {
  /** The layer's own folder; made when missing, must be empty. Nobody else may write to it. */
  readonly dir: string;
  /** Folders of the layers below, uppermost first: for attributes of folders the layer does not list, and hard links to files below. */
  readonly lowers?: readonly string[];
  readonly calls: LayerCalls;
  /** Uncompressed bytes the layer may have. Default 32 GiB. */
  readonly maxBytes?: number;
  /** Entries it may have. Default 5 million. */
  readonly maxEntries?: number;
}

export interface AppliedLayer {
  /** Of the uncompressed tar: must be the configuration's diff id. */
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly bytes: number;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const MAX_LINKS = 40;
const PATH_MAX = 4096;

const code = (error: unknown) => (error as NodeJS.ErrnoException).code;

/**
 * Unpack a layer (tar, plain or compressed) into a folder in overlayfs' own form: whiteouts become 0/0 character devices, opaque folders
 * get `trusted.overlay.opaque` (OCI image specification, "Layer"). No path, link or link target leads out of the folder: `..` out of it is
 * refused, links are followed as if the folder were the root.
 */
export async function applyLayer(source: AsyncIterable<Uint8Array>, options: ApplyLayerOptions): Promise<AppliedLayer> {
  const { maxBytes = 32 * 1024 ** 3, maxEntries = 5_000_000 } = options;
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of await decompressed(source)) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new OciError('too-large', `the layer unpacks to more than ${maxBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  await mkdir(options.dir, { recursive: true, mode: 0o755 });
  const writer = new LayerWriter(options);
  let entries = 0;
  await readTar(counted(), async (header, content) => {
    if (++entries > maxEntries) throw new OciError('too-large', `the layer has more than ${maxEntries} entries`);
    try {
      await writer.entry(header, content);
    } catch (error) {
      if (error instanceof OciError || code(error) === 'ENOSPC' || code(error) === 'EDQUOT') throw error;
      throw new OciError('invalid', `cannot unpack ${JSON.stringify(header.path)}: ${(error as Error).message}`, { cause: error });
    }
  });
  await writer.finish();
  return { diffId: `sha256:${hash.digest('hex')}`, bytes };
}

class LayerWriter {
  readonly #root: string;
  readonly #lowers: readonly string[];
  readonly #calls: LayerCalls;
  /** Folders this layer made or listed; their times are set last, as filling them changes them. */
  readonly #times = new Map<string, number>();
  readonly #known = new Set<string>(['']);

  constructor(options: ApplyLayerOptions) {
    this.#root = options.dir;
    this.#lowers = options.lowers ?? [];
    this.#calls = options.calls;
  }

  async entry(header: TarHeader, content: AsyncIterable<Buffer>): Promise<void> {
    const path = inside(header.path);
    if (path === '') return header.type === 'directory' ? this.#attributes('', header) : undefined;
    const parent = await this.#parent(dirname(path) === '.' ? '' : dirname(path));
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === OPAQUE) return this.#opaque(parent);
    if (name.startsWith(`${WHITEOUT}${WHITEOUT}`)) return; // AUFS' own bookkeeping.
    if (name.startsWith(WHITEOUT)) return this.#whiteout(parent, name.slice(WHITEOUT.length));
    const place = parent === '' ? name : `${parent}/${name}`;
    const at = join(this.#root, place);
    const before = await lstat(at).catch(() => undefined);
    const wasWhiteout = before?.isCharacterDevice() === true && before.rdev === 0;
    if (before && !(before.isDirectory() && header.type === 'directory')) {
      await rm(at, { recursive: true, force: true });
      if (before.isDirectory()) this.#forget(place);
    }
    switch (header.type) {
      case 'directory':
        if (!before?.isDirectory()) await mkdir(at, { mode: 0o700 });
        // A folder over its own whiteout replaces what is below instead of merging with it.
        if (wasWhiteout) await this.#opaque(place);
        this.#known.add(place);
        break;
      case 'file': {
        const file = await open(at, 'wx', 0o600);
        try {
          for await (const chunk of content) await file.writeFile(chunk);
        } finally {
          await file.close();
        }
        break;
      }
      case 'symlink':
        await symlink(header.target, at);
        break;
      case 'link':
        return this.#link(header.target, at);
      case 'character':
      case 'block':
        if (!Number.isInteger(header.major) || !Number.isInteger(header.minor)) throw new OciError('invalid', 'a device has no numbers');
        this.#calls.mknod(at, (header.type === 'block' ? S_IFBLK : S_IFCHR) | 0o600, header.major, header.minor);
        break;
      case 'fifo':
        this.#calls.mknod(at, S_IFIFO | 0o600, 0, 0);
        break;
      case 'other':
        return;
    }
    await this.#attributes(place, header);
  }

  async finish(): Promise<void> {
    for (const [place, seconds] of this.#times) await utimes(join(this.#root, place), seconds, seconds).catch(() => {});
  }

  async #attributes(place: string, header: TarHeader): Promise<void> {
    const at = join(this.#root, place);
    const time = Number.isFinite(header.mtime) ? header.mtime : 0;
    if (!validId(header.uid) || !validId(header.gid)) throw new OciError('invalid', `${header.path} has an impossible owner`);
    await lchown(at, header.uid, header.gid);
    // After the owner: changing that clears set-user-id and capabilities.
    if (header.type !== 'symlink') await chmod(at, Number.isNaN(header.mode) ? 0o644 : header.mode);
    for (const [name, value] of header.xattrs) {
      // Overlayfs' own attributes would let a layer reach into others.
      if (/^(trusted|user)\.overlay\./.test(name)) continue;
      try {
        this.#calls.setXattr(at, name, value);
      } catch (error) {
        if (!/ENOTSUP|EOPNOTSUPP|EPERM/.test(String(code(error) ?? error))) throw error;
      }
    }
    if (header.type === 'directory') this.#times.set(place, time);
    else await lutimes(at, time, time);
  }

  /** Where a folder of the archive is in ours: links followed within the root, missing folders made like those below. */
  async #parent(path: string): Promise<string> {
    if (this.#known.has(path)) return path;
    let pending = path.split('/').filter(Boolean);
    let done: string[] = [];
    for (let links = 0; pending.length > 0; ) {
      const [name, ...rest] = pending as [string, ...string[]];
      pending = rest;
      if (name === '.') continue;
      if (name === '..') {
        done.pop();
        continue;
      }
      const place = [...done, name].join('/');
      if (this.#known.has(place)) {
        done.push(name);
        continue;
      }
      const at = join(this.#root, place);
      const found = await lstat(at).catch((error: unknown) => {
        if (code(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (found?.isSymbolicLink()) {
        if (++links > MAX_LINKS) throw new OciError('invalid', `too many links on the way to ${path}`);
        const target = await readlink(at);
        if (target.startsWith('/')) done = [];
        pending = [...target.split('/').filter(Boolean), ...pending];
        continue;
      }
      if (!found) await this.#makeLike(place);
      else if (!found.isDirectory()) {
        await rm(at, { force: true });
        await mkdir(at, { mode: 0o755 });
        if (found.isCharacterDevice() && found.rdev === 0) await this.#opaque(place);
      }
      done.push(name);
      this.#known.add(done.join('/'));
    }
    return done.join('/');
  }

  /** A folder the layer implies but does not list has the attributes it has below. */
  async #makeLike(place: string): Promise<void> {
    const at = join(this.#root, place);
    await mkdir(at, { mode: 0o755 });
    for (const lower of this.#lowers) {
      const below = await lstatBeneath(lower, place);
      if (!below?.isDirectory()) continue;
      await chown(at, below.uid, below.gid);
      await chmod(at, below.mode & 0o7777);
      this.#times.set(place, below.mtimeMs / 1000);
      return;
    }
  }

  /** Hides what lower layers have at this name. What this layer has itself stays: whiteouts are about lower layers only. */
  async #whiteout(parent: string, name: string): Promise<void> {
    if (name === '' || name === '.' || name === '..') throw new OciError('invalid', `the whiteout of ${JSON.stringify(name)} is no name`);
    const place = parent === '' ? name : `${parent}/${name}`;
    const at = join(this.#root, place);
    const here = await lstat(at).catch(() => undefined);
    if (here?.isDirectory()) return this.#opaque(place);
    if (!here) this.#calls.mknod(at, S_IFCHR, 0, 0);
  }

  async #opaque(place: string): Promise<void> {
    this.#calls.setXattr(join(this.#root, place), 'trusted.overlay.opaque', Buffer.from('y'));
  }

  async #link(target: string, at: string): Promise<void> {
    const path = inside(target);
    const parent = await this.#parent(dirname(path) === '.' ? '' : dirname(path));
    const place = join(parent, path.slice(path.lastIndexOf('/') + 1));
    const own = join(this.#root, place);
    const found = await lstat(own).catch(() => undefined);
    if (found && !found.isDirectory()) return link(own, at);
    for (const lower of found ? [] : this.#lowers) {
      const below = await lstatBeneath(lower, place);
      if (!below?.isFile()) continue;
      await copyFile(join(lower, place), at);
      await lchown(at, below.uid, below.gid);
      await chmod(at, below.mode & 0o7777);
      await utimes(at, below.atimeMs / 1000, below.mtimeMs / 1000);
      return;
    }
    throw new OciError('invalid', `hard link to ${JSON.stringify(target)}, which is not a file of the image`);
  }

  #forget(place: string): void {
    for (const known of this.#known) if (known === place || known.startsWith(`${place}/`)) this.#known.delete(known);
    for (const known of this.#times.keys()) if (known === place || known.startsWith(`${place}/`)) this.#times.delete(known);
  }
}

const validId = (id: number) => Number.isInteger(id) && id >= 0 && id <= 0xfffffffe;

/** A path of the archive, relative to its root. Absolute ones begin at the root; one that climbs out is refused. */
function inside(path: string): string {
  if (path.length > PATH_MAX) throw new OciError('invalid', `a path in the layer is longer than ${PATH_MAX} bytes`);
  if (path.includes('\0')) throw new OciError('invalid', 'a path in the layer has a NUL byte');
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.pop() === undefined) throw new OciError('invalid', `the layer tries to leave its root: ${JSON.stringify(path)}`);
  }
  return out.join('/');
}

/** lstat below a folder, without following any link on the way. */
async function lstatBeneath(root: string, place: string) {
  const parts = place.split('/');
  for (let i = 1; i < parts.length; i++) {
    const s = await lstat(join(root, ...parts.slice(0, i))).catch(() => undefined);
    if (!s?.isDirectory()) return undefined;
  }
  return lstat(join(root, place)).catch(() => undefined);
}
