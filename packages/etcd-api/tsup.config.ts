import { defineConfig, type Options } from 'tsup';
import component from '../../tooling/tsup.component.config.ts';

/** As a component, and apart what loads gRPC only when somebody comes. */
export default defineConfig({
  ...(component as Options),
  entry: ['src/index.ts', 'src/on-demand/index.ts', 'src/command/index.ts', 'src/bin.ts'],
});
