import { defineConfig } from 'tsup';

/** Every library package: ESM, one entry. Its declarations come from tooling/build/types.mjs. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  clean: false,
  splitting: false,
  sourcemap: true,
});
