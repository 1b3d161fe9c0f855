import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';

// The application is one bundled file: the worker thread must start from it, however names were changed.
it.each([[[]], [['--minify']], [['--minify', '--keep-names']], [['--keep-names']]])('works in a bundle made with %j', (flags) => {
  const package_ = join(import.meta.dirname, '..');
  const store = join(package_, '../../node_modules/.pnpm');
  const version = readdirSync(store).find((name) => name.startsWith('esbuild@'));
  const esbuild = createRequire(join(store, version ?? '', 'node_modules/esbuild/package.json')).resolve('esbuild/bin/esbuild');
  const dir = mkdtempSync(join(package_, 'bundle-test-'));
  try {
    writeFileSync(
      join(dir, 'main.ts'),
      `import { createPinnedNamespaces, deletePinnedNamespaces, Network } from '../src/index.js';
       const { net = '' } = await createPinnedNamespaces({ dir: ${JSON.stringify(join(dir, 'ns'))}, kinds: ['net'] });
       const error = await new Network({ netns: net }).link('nope').catch((e) => e.code);
       console.log((await new Network({ netns: net }).link('lo')).up, error);
       await deletePinnedNamespaces(${JSON.stringify(join(dir, 'ns'))});`,
    );
    execFileSync(esbuild, [
      join(dir, 'main.ts'),
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node20',
      '--external:koffi',
      `--outfile=${join(dir, 'main.mjs')}`,
      '--log-level=error',
      ...flags,
    ]);
    expect(
      execFileSync(process.execPath, [join(dir, 'main.mjs')])
        .toString()
        .trim(),
    ).toBe('true ENODEV');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
