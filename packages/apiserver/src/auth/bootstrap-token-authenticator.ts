import { timingSafeEqual } from 'node:crypto';
import type { KubeObject } from '@coxswain/api';
import type { AuthenticationResult, Authenticator, Clock } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import { bearerToken } from './bearer-token.js';

const NONE: AuthenticationResult = { type: 'none' };
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const SECRET_TYPE = 'bootstrap.kubernetes.io/token';
const NAMESPACE = 'kube-system';
const GROUP = 'system:bootstrappers';
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Bootstrap tokens: secrets of kube-system that let a new node ask for its certificate. Deleting the secret takes the token back. */
export function bootstrapTokenAuthenticator(secrets: Pick<ResourceCache, 'get'>, clock: Clock): Authenticator {
  return {
    name: 'bootstrap-token',
    authenticate(request) {
      const match = TOKEN.exec(bearerToken(request.headers) ?? '');
      if (!match) return NONE;
      const [, id = '', secret = ''] = match;
      const found = secrets.get(NAMESPACE, `bootstrap-token-${id}`)?.object;
      if (!found || found.type !== SECRET_TYPE || found.metadata.deletionTimestamp !== undefined) return NONE;
      const value = (key: string) => Buffer.from(((found as KubeObject).data?.[key] as string | undefined) ?? '', 'base64').toString();
      if (!sameText(value('token-secret'), secret) || value('token-id') !== id) return NONE;
      if (value('usage-bootstrap-authentication') !== 'true' || hasExpired(value('expiration'), clock.now())) return NONE;
      const extra = value('auth-extra-groups')
        .split(',')
        .filter((group) => group !== '');
      const wrong = extra.find((group) => !EXTRA_GROUP.test(group));
      if (wrong !== undefined) return { type: 'failed', message: `bootstrap group ${JSON.stringify(wrong)} is invalid (must match ${EXTRA_GROUP.source})` };
      return { type: 'user', user: { name: `system:bootstrap:${id}`, groups: [...new Set([...extra, GROUP])].sort() } };
    },
  };
}

/** What cannot be read as a time has passed. */
function hasExpired(text: string, now: number): boolean {
  if (text === '') return false;
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= now;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
