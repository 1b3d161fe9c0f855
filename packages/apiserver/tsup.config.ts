import { defineConfig, type Options } from 'tsup';
import component from '../../tooling/tsup.component.config.ts';

/** As a component, and a server for tests. */
export default defineConfig({
  ...(component as Options),
  entry: ['src/index.ts', 'src/command/index.ts', 'src/testing/index.ts', 'src/bin.ts'],
});
