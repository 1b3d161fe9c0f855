// One file that starts fast: every workspace package is bundled from its source; packages with native parts stay outside.
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(`${here}/package.json`, 'utf8'));

await rm(`${here}/dist`, { recursive: true, force: true });
await mkdir(`${here}/dist`, { recursive: true });
await build({
  entryPoints: { cox: `${here}/src/main.ts` },
  outdir: `${here}/dist`,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['coxswain-source'],
  external: ['lmdb', 'koffi', 'netlink'],
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  banner: { js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  define: { __COX_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, target: 'es2022' } },
});
await chmod(`${here}/dist/cox.mjs`, 0o755);
