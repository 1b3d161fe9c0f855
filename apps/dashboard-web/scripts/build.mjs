// Builds the front end into dist, with a gzip of every file beside it; nothing is done while nothing has changed.
// usage: build.mjs
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const here = fileURLToPath(new URL('..', import.meta.url));
const dist = join(here, 'dist');
const zip = promisify(gzip);

async function filesBelow(folder) {
  const entries = await readdir(join(here, folder), { withFileTypes: true, recursive: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

/** What the result depends on: our sources and the versions of what they import. */
async function fingerprint() {
  const hash = createHash('sha256');
  const names = ['index.html', 'package.json', 'vite.config.ts', '../../pnpm-lock.yaml'].map((name) => join(here, name));
  for (const file of [...names, ...(await filesBelow('src')), ...(await filesBelow('scripts'))].sort()) {
    hash
      .update(file.slice(here.length))
      .update('\0')
      .update(await readFile(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Resolves with the folder of the built front end. */
export async function buildWeb() {
  const wanted = await fingerprint();
  const stamp = join(dist, '.fingerprint');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return dist;
  const fresh = join(here, `dist-fresh-${process.pid}`);
  try {
    const { build } = await import('vite');
    await build({ root: here, logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } });
    const entries = await readdir(fresh, { withFileTypes: true, recursive: true });
    for (const entry of entries.filter((e) => e.isFile() && /\.(js|css|html|svg)$/.test(e.name))) {
      const file = join(entry.parentPath, entry.name);
      await writeFile(`${file}.gz`, await zip(await readFile(file), { level: 9 }));
    }
    await mkdir(fresh, { recursive: true });
    await writeFile(join(fresh, '.fingerprint'), wanted);
    await rm(dist, { recursive: true, force: true });
    await rename(fresh, dist);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return dist;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb();
