import { defineConfig } from 'tsup';

/** Every library package: ESM, one entry, types beside it. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  clean: true,
  splitting: false,
  sourcemap: true,
  dts: { compilerOptions: { ignoreDeprecations: '6.0', customConditions: [] } },
});
