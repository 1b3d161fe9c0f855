import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { JSON_SCHEMA, load } from 'js-yaml';
import type { AdmissionSettings } from './admission-settings.js';
import { parseEventLimits } from './extra/event-rate-limit.js';
import { parsePodNodeSelectorSettings } from './extra/pod-node-selector.js';
import { admissionPlugins } from './plugin-names.js';
import { parsePodSecuritySettings } from './pod-security/settings.js';
import { parseLimitedResources } from './quota/limited-resources.js';

interface PluginEntry {
  readonly name?: string;
  /** Of a file with the configuration, from the folder of this file. */
  readonly path?: string;
  readonly configuration?: Readonly<Record<string, unknown>> | null;
}

type Configured = Omit<AdmissionSettings, 'tolerationSeconds' | 'allowPrivileged'>;

/** Plugins that can be configured. */
const parsers: Readonly<Record<string, (configuration: Readonly<Record<string, unknown>>) => Configured>> = {
  EventRateLimit: (configuration) => ({ eventLimits: parseEventLimits(configuration) }),
  PodNodeSelector: (configuration) => ({ podNodeSelector: parsePodNodeSelectorSettings(configuration) }),
  PodSecurity: (configuration) => ({ podSecurity: parsePodSecuritySettings(configuration) }),
  ResourceQuota: (configuration) => ({ limitedResources: parseLimitedResources(configuration) }),
};

/** An AdmissionConfiguration file and what it names. Rejects with what is wrong; a plugin that cannot be configured here is refused by name. */
export async function readAdmissionConfig(text: string, file: string): Promise<Configured> {
  const config = parsed(text);
  if (config.kind !== 'AdmissionConfiguration' || !/^apiserver\.(config\.)?k8s\.io\/v1(alpha1)?$/.test(String(config.apiVersion)))
    throw new Error('not an AdmissionConfiguration of apiserver.config.k8s.io/v1');
  let settings: Configured = {};
  for (const [i, entry] of ((config.plugins ?? []) as PluginEntry[]).entries()) {
    const at = `plugins[${i}]`;
    const configuration = await configurationOf(entry, at, file);
    if (!configuration) continue;
    const { name = '' } = entry;
    const parse = parsers[name];
    if (!parse) throw new Error(`${at}: ${refusal(name)}`);
    try {
      settings = { ...settings, ...parse(configuration) };
    } catch (error) {
      throw new Error(`${at}: ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  return settings;
}

async function configurationOf({ path, configuration }: PluginEntry, at: string, file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (path && configuration) throw new Error(`${at}: path and configuration cannot both be set`);
  if (!path) return configuration ?? undefined;
  const whole = resolve(dirname(file), path);
  try {
    return parsed(await readFile(whole, 'utf8'));
  } catch (error) {
    throw new Error(`${at}.path: ${whole}: ${(error as Error).message}`, { cause: error });
  }
}

function refusal(name: string): string {
  const state = admissionPlugins[name];
  if (!state) return `plugin ${JSON.stringify(name)} is unknown`;
  if (state === 'absent') return `plugin ${JSON.stringify(name)} is not part of this API server`;
  return `plugin ${JSON.stringify(name)} takes no configuration here`;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  const value = load(text, { schema: JSON_SCHEMA });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value as Readonly<Record<string, unknown>>;
}
