// A program that starts fast: every workspace package is bundled from its source, in chunks that are loaded when they are used, by a loader that
// keeps what V8 compiled of them. Packages with native parts stay outside.
// usage: bundle.mjs [folder of apps/cox, dist when left out]
import { rmSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWeb } from '@coxswain/dashboard-web/build';
import { build } from 'esbuild';
import { toCommonJs } from './commonjs.mjs';
import { directImports } from './direct-imports.mjs';
import { pruneImports } from './prune-imports.mjs';

const here = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(`${here}/package.json`, 'utf8'));

// Inside apps/cox, so that what stays outside the bundle is found in its node_modules.
const out = join(here, process.argv[2] ?? 'dist');
if (relative(here, out).startsWith('..')) throw new Error(`${out} is not inside ${here}`);

// Built aside and moved into place: a failed build leaves the last good one.
const fresh = `${out}-fresh-${process.pid}`;
await mkdir(fresh, { recursive: true });
process.on('exit', () => rmSync(fresh, { recursive: true, force: true }));
// The dashboard's front end is shipped beside the program; built beside it too.
const web = buildWeb();
web.catch(() => {});
const { metafile } = await build({
  absWorkingDir: here,
  metafile: true,
  plugins: [directImports],
  entryPoints: { main: `${here}/src/main.ts` },
  outdir: join(fresh, 'chunks'),
  outExtension: { '.js': '.cjs' },
  bundle: true,
  splitting: true,
  // Made CommonJS below.
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['coxswain-source'],
  external: ['lmdb', 'koffi', 'netlink'],
  alias: { '@grpc/proto-loader': join(here, 'scripts/no-proto-loader.mjs') },
  minifyWhitespace: true,
  minifySyntax: true,
  // No keepNames: it names every closure again each time one is made, a tenth of what a small request costs.
  sourcemap: 'linked',
  sourcesContent: false,
  define: { __COX_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, target: 'es2022' } },
});
await pruneImports(metafile, { root: here });
const chunks = Object.keys(metafile.outputs).filter((path) => path.endsWith('.cjs'));
const hash = await toCommonJs(
  join(fresh, 'chunks'),
  chunks.map((path) => basename(path)),
);
await build({
  entryPoints: { cox: `${here}/src/loader/main.ts` },
  outdir: fresh,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  banner: { js: '#!/usr/bin/env node' },
  define: { __COX_BUILD__: JSON.stringify(hash) },
});
await cp(await web, join(fresh, 'web'), { recursive: true });
// What starts the processes again.
await cp(join(here, 'src/supervise/supervise.sh'), join(fresh, 'supervise.sh'));
await chmod(join(fresh, 'cox.mjs'), 0o755);
await rm(out, { recursive: true, force: true });
await rename(fresh, out);
