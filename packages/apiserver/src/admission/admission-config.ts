import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { JSON_SCHEMA, load } from 'js-yaml';
import type { AdmissionSettings } from './admission-settings.js';
import { admissionPlugins } from './plugin-names.js';
import { parsePodSecuritySettings } from './pod-security/settings.js';

interface PluginEntry {
  readonly name?: string;
  /** Of a file with the configuration, from the folder of this file. */
  readonly path?: string;
  readonly configuration?: Readonly<Record<string, unknown>> | null;
}

/** An AdmissionConfiguration file and what it names. Rejects with what is wrong; a plugin that cannot be configured here is refused by name. */
export async function readAdmissionConfig(text: string, file: string): Promise<Pick<AdmissionSettings, 'podSecurity'>> {
  const config = parsed(text);
  if (config.kind !== 'AdmissionConfiguration' || !/^apiserver\.(config\.)?k8s\.io\/v1(alpha1)?$/.test(String(config.apiVersion)))
    throw new Error('not an AdmissionConfiguration of apiserver.config.k8s.io/v1');
  let settings: Pick<AdmissionSettings, 'podSecurity'> = {};
  for (const [i, entry] of ((config.plugins ?? []) as PluginEntry[]).entries()) {
    const at = `plugins[${i}]`;
    const configuration = await configurationOf(entry, at, file);
    if (!configuration) continue;
    if (entry.name !== 'PodSecurity') throw new Error(`${at}: ${refusal(entry.name ?? '')}`);
    try {
      settings = { podSecurity: parsePodSecuritySettings(configuration) };
    } catch (error) {
      throw new Error(`${at}: PodSecurity: ${(error as Error).message}`, { cause: error });
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
