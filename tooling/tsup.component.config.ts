import base from './tsup.config.js';

/** A component: the library, its command (for cox to add to its own), and its program. Split, so that a program loads only what it runs. */
export default {
  ...base,
  entry: ['src/index.ts', 'src/command/index.ts', 'src/bin.ts'],
  splitting: true,
  dts: { ...(base as { dts: object }).dts, entry: ['src/index.ts', 'src/command/index.ts'] },
};
