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

const textOf = (claims: Readonly<Record<string, unknown>>, key: string): string => String(claims[`${CLAIM}/${key}`] ?? '');

/** The Secret that carries the token of these claims. */
export const legacySecret = (claims: Readonly<Record<string, unknown>>, { secrets }: Pick<LegacyCaches, 'secrets'>): KubeObject | undefined =>
  secrets.get(textOf(claims, 'namespace'), textOf(claims, 'secret.name'))?.object;

/** What the claims of such a token come to, its signature being good: it holds as long as its Secret carries it and the account is the same. */
export function checkLegacyClaims(token: string, claims: Readonly<Record<string, unknown>>, caches: LegacyCaches): AuthenticationResult {
  const text = (key: string) => textOf(claims, key);
  const [namespace, secretName, name, uid] = [text('namespace'), text('secret.name'), text('service-account.name'), text('service-account.uid')];
  const failed = (message: string): AuthenticationResult => ({ type: 'failed', message });
  if (!namespace || !secretName || !name || !uid) return failed('claims are incomplete');
  const subject = `system:serviceaccount:${namespace}:${name}`;
  if (claims['sub'] !== subject) return failed('the subject is not the service account');
  const secret = legacySecret(claims, caches);
  const data = secret?.['data'] as Readonly<Record<string, string>> | undefined;
  if (!secret || secret.metadata.deletionTimestamp !== undefined) return failed('service account token has been invalidated');
  if (Buffer.from(data?.['token'] ?? '', 'base64').toString() !== token) return failed("service account token does not match server's copy");
  const since = secret.metadata.labels?.[INVALID_SINCE];
  if (since) return failed(`the token in secret ${namespace}/${secretName} has been marked invalid since ${since}`);
  const account = caches.serviceAccounts.get(namespace, name)?.object;
  if (!account || account.metadata.deletionTimestamp !== undefined) return failed(`service account ${namespace}/${name} has been deleted`);
  if (account.metadata.uid !== uid) return failed(`service account UID (${account.metadata.uid}) does not match claim (${uid})`);
  return { type: 'user', user: { name: subject, uid, groups: [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`] } };
}
