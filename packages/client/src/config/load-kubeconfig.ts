import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Clock } from '@coxswain/sdk';
import { systemClock } from '@coxswain/sdk';
import { parse } from 'yaml';
import { HttpsTransport, type HttpsTransportOptions } from '../transport/https-transport.js';
import { fileToken, staticToken } from '../transport/token-source.js';
import { KubeconfigError, type Kubeconfig, type KubeconfigCluster, type KubeconfigUser } from './kubeconfig.js';

export interface LoadOptions {
  /** One file; absent: `$KUBECONFIG` (several files merge, the first wins), else `~/.kube/config`. */
  readonly path?: string | undefined;
  readonly context?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly clock?: Clock | undefined;
}

export interface ClientConfig {
  readonly transport: HttpsTransportOptions;
  /** The namespace of the context; `default` when it names none. */
  readonly namespace: string;
  readonly context: string;
}

/** Read and merge kubeconfig files; relative file names become absolute. */
export function readKubeconfig({ path, env = process.env }: LoadOptions = {}): Kubeconfig {
  const files = path ? [path] : (env['KUBECONFIG'] ?? '').split(delimiter).filter((f) => f !== '');
  if (files.length === 0) files.push(join(env['HOME'] ?? homedir(), '.kube', 'config'));
  const found = files.filter((f) => path !== undefined || existsSync(f));
  if (found.length === 0) throw new KubeconfigError(`no kubeconfig found at ${files.join(', ')}: set KUBECONFIG or pass a path`);
  const merged: Required<Pick<Kubeconfig, 'clusters' | 'users' | 'contexts'>> & Kubeconfig = { clusters: [], users: [], contexts: [] };
  for (const file of found) {
    const config = parseKubeconfig(readFileSync(file, 'utf8'), file);
    merged['current-context'] ||= config['current-context'] ?? '';
    for (const part of ['clusters', 'users', 'contexts'] as const) {
      for (const entry of config[part] ?? []) {
        if (!merged[part].some((e) => e.name === entry.name)) (merged[part] as { name: string }[]).push(entry);
      }
    }
  }
  return merged;
}

const FILE_FIELDS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'] as const;

export function parseKubeconfig(text: string, file = 'kubeconfig'): Kubeconfig {
  let config: Kubeconfig;
  try {
    config = (parse(text) ?? {}) as Kubeconfig;
  } catch (error) {
    throw new KubeconfigError(`${file} is not valid YAML: ${(error as Error).message}`, { cause: error });
  }
  if (typeof config !== 'object' || (config.kind !== undefined && config.kind !== 'Config')) throw new KubeconfigError(`${file} is not a kubeconfig`);
  for (const part of [...(config.clusters ?? []).map((c) => c.cluster), ...(config.users ?? []).map((u) => u.user)]) {
    const entry = part as Record<string, unknown> | null;
    for (const field of FILE_FIELDS) {
      const value = entry?.[field];
      if (entry && typeof value === 'string' && value !== '' && !isAbsolute(value)) entry[field] = join(dirname(file), value);
    }
  }
  return config;
}

/** What a transport needs of a context. Throws `KubeconfigError` that names what is missing. */
export function clientConfig(config: Kubeconfig, { context, clock = systemClock }: LoadOptions = {}): ClientConfig {
  const name = context ?? config['current-context'] ?? '';
  if (name === '') throw new KubeconfigError('the kubeconfig has no current-context: pass one');
  const chosen = config.contexts?.find((c) => c.name === name)?.context;
  if (!chosen) throw new KubeconfigError(`context "${name}" does not exist`);
  const cluster = config.clusters?.find((c) => c.name === chosen.cluster)?.cluster;
  if (!cluster) throw new KubeconfigError(`cluster "${chosen.cluster}" of context "${name}" does not exist`);
  const user = config.users?.find((u) => u.name === chosen.user)?.user ?? {};
  return { transport: transportOptions(cluster, user, clock), namespace: chosen.namespace || 'default', context: name };
}

function transportOptions(cluster: KubeconfigCluster, user: KubeconfigUser, clock: Clock): HttpsTransportOptions {
  if (user.exec || user['auth-provider'])
    throw new KubeconfigError('exec and auth-provider credentials are not supported: use a token or a client certificate');
  const headers: Record<string, string> = {};
  if (user.username) headers['authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  if (user.as) headers['impersonate-user'] = user.as;
  if (user['as-uid']) headers['impersonate-uid'] = user['as-uid'];
  if (user['as-groups']?.length === 1) headers['impersonate-group'] = user['as-groups'][0] as string;
  else if (user['as-groups']?.length) throw new KubeconfigError('only one as-groups entry is supported');
  return {
    server: cluster.server,
    ca: material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    insecure: cluster['insecure-skip-tls-verify'],
    serverName: cluster['tls-server-name'],
    cert: material(user['client-certificate-data'], user['client-certificate']),
    key: material(user['client-key-data'], user['client-key']),
    token: user.tokenFile ? fileToken(user.tokenFile, clock) : user.token ? staticToken(user.token) : undefined,
    headers,
    clock,
  };
}

/** Data wins over a file. */
function material(data: string | undefined, file: string | undefined): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new KubeconfigError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** A transport for the chosen (or current) context of the user's kubeconfig. */
export function transportFromKubeconfig(options: LoadOptions = {}): HttpsTransport {
  return new HttpsTransport(clientConfig(readKubeconfig(options), options).transport);
}
