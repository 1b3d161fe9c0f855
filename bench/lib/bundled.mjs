import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const NATIVE = ['lmdb', 'koffi', 'netlink'];
const REQUIRE = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** A script of this folder in one file with all that it imports: it runs as from published packages, without a compiler that loads and marks its functions. */
export async function bundled(script) {
  const outfile = join(mkdtempSync(join(tmpdir(), 'cox-bench-')), 'script.mjs');
  await build({
    entryPoints: [script],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['coxswain-source'],
    external: NATIVE,
    banner: { js: REQUIRE },
    logLevel: 'warning',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, target: 'es2022' } },
  });
  return { path: outfile, remove: () => rmSync(dirname(outfile), { recursive: true, force: true }) };
}
