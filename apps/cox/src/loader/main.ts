import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chunks } from './chunks.js';
import { CodeCache } from './code-cache.js';

// `cox` itself: loads the bundle's chunks, of which src/main.ts is the first (docs/adr/0017).

/** Which build of the chunks this is; set by the bundler. */
declare const __COX_BUILD__: string;

const MAIN = 'main.cjs';
/** By then a long-running process has compiled what it starts with, and V8 has not thrown anything of it away yet. */
const SETTLED_MS = 10_000;

const folder = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

if (process.execArgv.includes('--enable-source-maps')) {
  // Node reads the source maps only of what it loads itself.
  require(`./chunks/${MAIN}`);
} else {
  const chunks = new Chunks(join(folder, 'chunks'), new CodeCache(join(folder, 'code-cache', cacheName())), require);
  process.on('exit', (code) => {
    if (code === 0) chunks.keepCode();
  });
  setTimeout(() => chunks.keepCode(), SETTLED_MS).unref();
  chunks.load(MAIN);
}

/** One for each command, and for each set of V8's options: code compiled under one set is refused under another. */
function cacheName(): string {
  const command = /^[a-z][a-z-]*$/.test(process.argv[2] ?? '') ? process.argv[2] : 'cox';
  const options = [__COX_BUILD__, process.version, process.arch, process.execArgv, process.env['NODE_OPTIONS']];
  return `${command}-${createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16)}`;
}
