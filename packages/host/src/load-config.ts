import type { PluginUse } from '@coxswain/sdk';
import type { HostProblem } from './host-error.js';

export interface ConfiguredPlugin {
  readonly use: PluginUse;
  readonly config: unknown;
}

/** Validate the configuration of all plugins and report every error together, naming plugin and field. */
export async function validateConfigs(plugins: readonly PluginUse[]): Promise<{ configured: ConfiguredPlugin[]; problems: HostProblem[] }> {
  const configured: ConfiguredPlugin[] = [];
  const problems: HostProblem[] = [];
  for (const use of plugins) {
    const result = await use.plugin.config['~standard'].validate(use.config ?? {});
    if (result.issues === undefined) {
      configured.push({ use, config: result.value });
      continue;
    }
    for (const issue of result.issues) {
      const path = (issue.path ?? []).map((p) => String(typeof p === 'object' ? p.key : p)).join('.');
      problems.push({ code: 'invalid-config', message: `plugin "${use.plugin.name}": ${path === '' ? 'configuration' : path} ${issue.message}` });
    }
  }
  return { configured, problems };
}
