import { createHash } from 'node:crypto';
import type { AuthenticationRequest, AuthenticationResult, Authenticator, Clock, Logger, UserInfo } from '@coxswain/sdk';
import { bearerToken } from '../bearer-token.js';
import type { ReviewClient } from './review-client.js';
import { TimedCache } from './timed-cache.js';

export interface TokenReviewOptions {
  readonly name: string;
  readonly client: Pick<ReviewClient, 'post'>;
  readonly version: 'v1' | 'v1beta1';
  /** How long an answer holds, whichever it is. */
  readonly ttlMs: number;
  /** The audiences of tokens of servers that know nothing of audiences. Empty: tokens are for anybody. */
  readonly implicitAudiences: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface TokenReview {
  readonly apiVersion: string;
  readonly kind: 'TokenReview';
  readonly spec: { readonly token: string; readonly audiences?: readonly string[] };
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[]; readonly extra?: UserInfo['extra'] };
    readonly audiences?: readonly string[];
    readonly error?: string;
  };
}

const NONE: AuthenticationResult = { type: 'none' };

/** Bearer tokens somebody else knows: asked by TokenReview, remembered for a while. */
export function tokenReviewAuthenticator(options: TokenReviewOptions): Authenticator {
  const cache = new TimedCache<AuthenticationResult>(options.clock);
  return {
    name: options.name,
    authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> | AuthenticationResult {
      const token = bearerToken(request.headers);
      if (token === undefined) return NONE;
      const key = createHash('sha256').update(token).update('\0').update(request.audiences.join('\0')).digest('base64');
      const known = cache.get(key);
      if (known) return known;
      // Whoever gives up must not take the answer from the others who wait for it.
      return cache
        .ask(
          key,
          () => review(options, token, request.audiences),
          () => options.ttlMs,
        )
        .catch((err: unknown) => {
          options.logger.warn('a token could not be reviewed', { authenticator: options.name, err });
          return { type: 'failed', message: (err as Error).message } satisfies AuthenticationResult;
        });
    },
  };
}

async function review({ client, version, implicitAudiences }: TokenReviewOptions, token: string, wanted: readonly string[]): Promise<AuthenticationResult> {
  const checks = wanted.length > 0 && implicitAudiences.length > 0;
  const question: TokenReview = {
    apiVersion: `authentication.k8s.io/${version}`,
    kind: 'TokenReview',
    spec: { token, ...(wanted.length > 0 ? { audiences: wanted } : {}) },
  };
  const { status = {} } = await client.post<TokenReview>(question);
  if (!status.authenticated) return status.error ? { type: 'failed', message: status.error } : NONE;
  const { username = '', uid, groups = [], extra } = status.user ?? {};
  if (username === '') return { type: 'failed', message: 'the reviewed user has no name' };
  const user: UserInfo = { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  const given = status.audiences?.length ? status.audiences : implicitAudiences;
  const shared = wanted.filter((audience) => given.includes(audience));
  if (checks && shared.length === 0) return { type: 'failed', message: `token audiences ${JSON.stringify(given)} are not for ${JSON.stringify(wanted)}` };
  return { type: 'user', user, ...(shared.length > 0 ? { audiences: shared } : {}) };
}
