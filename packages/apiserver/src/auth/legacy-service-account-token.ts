import type { KubeObject } from '@coxswain/api';
import type { AuthenticationResult } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';

/** Names itself in the tokens that Secrets of service accounts carry. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

const CLAIM = 'kubernetes.io/serviceaccount';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const SERVICE_ACCOUNTS = 'system:serviceaccounts';

interface LegacyCaches {
  readonly serviceAccounts: ResourceCache;
  readonly secrets: ResourceCache;
}

type Used = ((secret: KubeObject) => void) | undefined;

/**
 * What the claims of such a token come to, its signature being good: it holds as long as its Secret carries it and the account is the same.
 * `used` is told the Secret of one that holds.
 */
export function checkLegacyClaims(token: string, claims: Readonly<Record<string, unknown>>, caches: LegacyCaches, used: Used): AuthenticationResult {
  const text = (key: string): string => String(claims[`${CLAIM}/${key}`] ?? '');
  const [namespace, secretName, name, uid] = [text('namespace'), text('secret.name'), text('service-account.name'), text('service-account.uid')];
  const failed = (message: string): AuthenticationResult => ({ type: 'failed', message });
  if (!namespace || !secretName || !name || !uid) return failed('claims are incomplete');
  const subject = `system:serviceaccount:${namespace}:${name}`;
  if (claims['sub'] !== subject) return failed('the subject is not the service account');
  const secret = caches.secrets.get(namespace, secretName)?.object;
  const data = secret?.['data'] as Readonly<Record<string, string>> | undefined;
  if (!secret || secret.metadata.deletionTimestamp !== undefined) return failed('service account token has been invalidated');
  if (Buffer.from(data?.['token'] ?? '', 'base64').toString() !== token) return failed("service account token does not match server's copy");
  const since = secret.metadata.labels?.[INVALID_SINCE];
  if (since) return failed(`the token in secret ${namespace}/${secretName} has been marked invalid since ${since}`);
  const account = caches.serviceAccounts.get(namespace, name)?.object;
  if (!account || account.metadata.deletionTimestamp !== undefined) return failed(`service account ${namespace}/${name} has been deleted`);
  if (account.metadata.uid !== uid) return failed(`service account UID (${account.metadata.uid}) does not match claim (${uid})`);
  used?.(secret);
  return { type: 'user', user: { name: subject, uid, groups: [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`] } };
}
