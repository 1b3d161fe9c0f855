import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

type Found = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'link'; readonly target: string } | { readonly kind: 'directory' } | undefined;

/** Look one path up through the layers, honouring whiteouts and opaque folders. The parents must be no links. */
async function lookup(layers: readonly string[], path: string): Promise<Found> {
  for (const layer of layers) {
    const at = join(layer, path);
    const found = await lstat(at).catch(() => undefined);
    if (found?.isCharacterDevice() && found.rdev === 0) return undefined;
    if (found?.isSymbolicLink()) return { kind: 'link', target: await readlink(at) };
    if (found?.isFile()) return { kind: 'file', path: at };
    if (found?.isDirectory()) return { kind: 'directory' };
    // A parent replaced by something else hides what is below in lower layers.
    for (let parent = dirname(path); parent !== '/' && parent !== '.'; parent = dirname(parent)) {
      const above = await lstat(join(layer, parent)).catch(() => undefined);
      if (above && !above.isDirectory()) return undefined;
    }
  }
  return undefined;
}

/** Resolve a path inside the root file system, following links without ever leaving it. Undefined when it does not exist. */
export async function resolveInRootfs(layers: readonly string[], path: string): Promise<string | undefined> {
  let pending = posix.normalize(`/${path}`).split('/').filter(Boolean);
  let done = '/';
  for (let links = 0; pending.length > 0; ) {
    const [name, ...rest] = pending as [string, ...string[]];
    const candidate = posix.join(done, name);
    const found = await lookup(layers, candidate);
    if (found?.kind === 'link') {
      if (++links > 40) return undefined;
      const target = posix.normalize(found.target.startsWith('/') ? found.target : posix.join(done, found.target));
      pending = [...target.split('/').filter((p) => p && p !== '..'), ...rest];
      done = '/';
      continue;
    }
    if (!found) return undefined;
    done = candidate;
    pending = rest;
  }
  return done;
}

/** A text file of the root file system; empty when it is not there. */
export async function readRootfsFile(layers: readonly string[], path: string): Promise<string> {
  const resolved = await resolveInRootfs(layers, path);
  const found = resolved === undefined ? undefined : await lookup(layers, resolved);
  return found?.kind === 'file' ? readFile(found.path, 'utf8') : '';
}
