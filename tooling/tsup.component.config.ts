import { defineConfig, type Options } from 'tsup';
import base from './tsup.config.js';

/** A component: the library, its command (for cox to add to its own), and its program. Split, so that a program loads only what it runs. */
export default defineConfig({
  ...(base as Options),
  entry: ['src/index.ts', 'src/command/index.ts', 'src/bin.ts'],
  splitting: true,
});
