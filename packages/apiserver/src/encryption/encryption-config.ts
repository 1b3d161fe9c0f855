import type { ResourceDefinition } from '@coxswain/api';
import { JSON_SCHEMA, load } from 'js-yaml';
import { cipherProvider, identityProvider } from './providers.js';
import type { Provider } from './providers.js';

/** How values under one prefix of the store are kept: written by the first provider, read by any. */
export interface EncryptionRule {
  readonly prefix: string;
  readonly providers: readonly Provider[];
}

interface RawConfig {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly resources?: readonly { readonly resources?: readonly string[]; readonly providers?: readonly Readonly<Record<string, unknown>>[] }[];
}

/** An `apiserver.config.k8s.io/v1` EncryptionConfiguration in YAML. The first rule that fits a key is its rule. Throws with what is wrong. */
export function parseEncryptionConfig(text: string, definitions: readonly ResourceDefinition[]): EncryptionRule[] {
  const config = load(text, { schema: JSON_SCHEMA }) as RawConfig | null;
  if (config?.kind !== 'EncryptionConfiguration' || config.apiVersion !== 'apiserver.config.k8s.io/v1')
    throw new Error('not an EncryptionConfiguration of apiserver.config.k8s.io/v1');
  return (config.resources ?? []).flatMap(({ resources = [], providers = [] }, i) => {
    if (resources.length === 0) throw new Error(`resources[${i}].resources: must name at least one resource`);
    if (providers.length === 0) throw new Error(`resources[${i}].providers: must name at least one provider`);
    const made = providers.flatMap((provider, n) => providersOf(provider, `resources[${i}].providers[${n}]`));
    return resources.flatMap((name) => prefixesOf(name, definitions).map((prefix) => ({ prefix, providers: made })));
  });
}

function providersOf(raw: Readonly<Record<string, unknown>>, at: string): Provider[] {
  const [kind, ...more] = Object.keys(raw);
  if (kind === undefined || more.length > 0) throw new Error(`${at}: must be exactly one provider`);
  switch (kind) {
    case 'identity':
      return [identityProvider];
    case 'aesgcm':
    case 'aescbc': {
      const { keys = [] } = (raw[kind] ?? {}) as { keys?: { name?: string; secret?: string }[] };
      if (keys.length === 0) throw new Error(`${at}.${kind}.keys: must have at least one key`);
      return keys.map(({ name, secret }, i) => {
        if (!name || name.includes(':')) throw new Error(`${at}.${kind}.keys[${i}].name: must be set, without colons`);
        const key = Buffer.from(secret ?? '', 'base64');
        if (![16, 24, 32].includes(key.length)) throw new Error(`${at}.${kind}.keys[${i}].secret: must be 16, 24 or 32 bytes in base64`);
        return cipherProvider(kind, name, key);
      });
    }
    default:
      throw new Error(`${at}: provider ${JSON.stringify(kind)} is not one of aesgcm, aescbc, identity`);
  }
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` (core), `*.*`. */
function prefixesOf(name: string, definitions: readonly ResourceDefinition[]): string[] {
  if (name === '*.*') return ['/registry/'];
  const dot = name.indexOf('.');
  const resource = dot < 0 ? name : name.slice(0, dot);
  const group = dot < 0 ? '' : name.slice(dot + 1);
  const known = definitions.filter((each) => each.group === group && (resource === '*' || each.resource === resource) && !each.virtual);
  if (known.length > 0) return [...new Set(known.map(({ storagePrefix }) => `${storagePrefix}/`))];
  if (group === '') throw new Error(`${JSON.stringify(name)} is not a resource`);
  return [resource === '*' ? `/registry/${group}/` : `/registry/${group}/${resource}/`];
}
