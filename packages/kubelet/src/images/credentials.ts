import type { Secret } from '@coxswain/api';
import type { ImageName } from './image-name.js';

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
  readonly identityToken: string;
  readonly registryToken: string;
  readonly serverAddress: string;
}

/** Credentials, and the Secret that they are in. */
export interface PullCredential {
  readonly auth: RegistryAuth;
  readonly source: { readonly uid: string; readonly namespace: string; readonly name: string };
}

interface DockerEntry {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** The credentials of pull secrets that fit an image, the most specific first. */
export function registryCredentials(image: ImageName, secrets: readonly Secret[]): PullCredential[] {
  const found: { match: string; credential: PullCredential }[] = [];
  for (const secret of secrets) {
    const { uid = '', namespace = '', name: secretName = '' } = secret.metadata ?? {};
    const source = { uid, namespace, name: secretName };
    for (const [server, entry] of Object.entries(dockerEntries(secret))) {
      const match = server
        .replace(/^https?:\/\//, '')
        .replace(/\/v[12]\/?$/, '')
        .replace(/\/$/, '');
      const name = match === 'index.docker.io' ? 'docker.io' : match;
      if (!fits(name, image)) continue;
      const [user = '', ...rest] = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8').split(':') : [];
      found.push({
        match: name,
        credential: {
          source,
          auth: {
            username: entry.username ?? user,
            password: entry.password ?? rest.join(':'),
            auth: '',
            identityToken: entry.identitytoken ?? '',
            registryToken: entry.registrytoken ?? '',
            serverAddress: server,
          },
        },
      });
    }
  }
  return found.sort((a, b) => b.match.length - a.match.length).map((f) => f.credential);
}

function dockerEntries(secret: Secret): Record<string, DockerEntry> {
  const data = secret.data ?? {};
  try {
    const json = data['.dockerconfigjson'];
    if (json) return (JSON.parse(Buffer.from(json, 'base64').toString('utf8')) as { auths?: Record<string, DockerEntry> }).auths ?? {};
    const old = data['.dockercfg'];
    if (old) return JSON.parse(Buffer.from(old, 'base64').toString('utf8')) as Record<string, DockerEntry>;
  } catch {
    // A secret that does not hold what its type says gives no credentials.
  }
  return {};
}

function fits(pattern: string, image: ImageName): boolean {
  const [host = '', ...path] = pattern.split('/');
  const wanted = host.split('.');
  const actual = image.registry.split('.');
  if (wanted.length !== actual.length) return false;
  const same = wanted.every((part, i) => new RegExp(`^${part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^.]*')}$`).test(actual[i] ?? ''));
  const prefix = path.join('/');
  return same && (prefix === '' || image.repository === prefix || image.repository.startsWith(`${prefix}/`));
}
