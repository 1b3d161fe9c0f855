import { CliError, readFlagFile } from '@coxswain/command';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cloudLocal } from '@coxswain/cloud-local';
import { type Plugin, PluginPoint, type PluginUse } from '@coxswain/sdk';
import { parse } from 'yaml';

/** The cloud that `--cloud-provider` names, with its configuration. A module's only plugin for clouds is taken. */
export async function loadCloud(provider: string, configFile: string | undefined): Promise<PluginUse> {
  const plugin = provider === 'local' ? (cloudLocal as unknown as Plugin<never>) : await fromModule(provider);
  if (configFile === undefined) return { plugin };
  try {
    return { plugin, config: parse(readFlagFile('--cloud-config', configFile)) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`--cloud-config: ${configFile}: ${(error as Error).message}`, undefined, 2);
  }
}

async function fromModule(specifier: string): Promise<Plugin<never>> {
  const path = /^[./]/.test(specifier);
  let module: Record<string, unknown>;
  try {
    module = (await import(path ? pathToFileURL(resolve(specifier)).href : specifier)) as Record<string, unknown>;
  } catch (error) {
    throw new CliError(
      `--cloud-provider ${specifier} cannot be loaded: ${(error as Error).message.split('\nRequire stack:')[0]}`,
      'give `local`, the path of a module (./cloud.mjs), or an installed npm package',
      2,
    );
  }
  const found = Object.values(module).filter((v): v is Plugin<never> => (v as Plugin<never> | null)?.point === PluginPoint.cloud);
  const [plugin] = found;
  if (plugin === undefined || found.length > 1)
    throw new CliError(`--cloud-provider ${specifier} exports ${found.length} plugins of point ${PluginPoint.cloud}`, 'it must export exactly one', 2);
  return plugin;
}
