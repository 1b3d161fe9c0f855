import { component } from '@coxswain/host';
import { CriServer, type PluginUse } from '@coxswain/sdk';
import type { LogLevel } from '../log-level.js';
import { runComponents } from './run-components.js';

/** Run the one CRI server that `plugins` bind, as `runComponents` does. */
export function runCriServer(name: string, logLevel: LogLevel, plugins: readonly PluginUse[]): Promise<void> {
  return runComponents(name, logLevel, [component('cri', [CriServer], (cri) => cri)], plugins);
}
