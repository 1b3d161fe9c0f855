import { LEVELS, MODES } from './policy.js';
import type { Level, LevelVersion, Mode } from './policy.js';

/** What holds where a namespace has no labels, and whom it never concerns. */
export interface PodSecuritySettings {
  readonly defaults: Readonly<Record<Mode, LevelVersion>>;
  readonly exemptions: { readonly usernames: readonly string[]; readonly namespaces: readonly string[]; readonly runtimeClasses: readonly string[] };
}

const PRIVILEGED: LevelVersion = { level: 'privileged', version: 'latest' };

export const noPodSecuritySettings: PodSecuritySettings = {
  defaults: { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED },
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
};

const API_VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `pod-security.admission.config.k8s.io/${version}`);

/** A PodSecurityConfiguration. Throws with what is wrong. */
export function parsePodSecuritySettings(config: Readonly<Record<string, unknown>>): PodSecuritySettings {
  if (config.kind !== 'PodSecurityConfiguration' || !API_VERSIONS.includes(config.apiVersion as string))
    throw new Error('not a PodSecurityConfiguration of pod-security.admission.config.k8s.io/v1');
  const defaults = (config.defaults ?? {}) as Readonly<Record<string, unknown>>;
  const exemptions = (config.exemptions ?? {}) as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(defaults))
    if (!MODES.some((mode) => key === mode || key === `${mode}-version`)) throw new Error(`defaults: unknown field ${JSON.stringify(key)}`);
  const levelOf = (mode: Mode): LevelVersion => {
    const level = (defaults[mode] as string | undefined) || 'privileged';
    const version = (defaults[`${mode}-version`] as string | undefined) || 'latest';
    if (!LEVELS.includes(level)) throw new Error(`defaults.${mode}: Invalid value: ${JSON.stringify(level)}: must be one of ${LEVELS.join(', ')}`);
    if (version !== 'latest' && !/^v1\.(0|[1-9]\d{0,2})$/.test(version))
      throw new Error(`defaults.${mode}-version: Invalid value: ${JSON.stringify(version)}: must be "latest" or "v1.x"`);
    return { level: level as Level, version };
  };
  const names = (key: string): string[] => {
    const list = exemptions[key] ?? [];
    if (!Array.isArray(list) || list.some((name) => typeof name !== 'string' || name === '')) throw new Error(`exemptions.${key}: must be a list of names`);
    return list as string[];
  };
  return {
    defaults: { enforce: levelOf('enforce'), audit: levelOf('audit'), warn: levelOf('warn') },
    exemptions: { usernames: names('usernames'), namespaces: names('namespaces'), runtimeClasses: names('runtimeClasses') },
  };
}
