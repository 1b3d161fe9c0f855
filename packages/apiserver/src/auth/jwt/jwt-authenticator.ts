import { LRUCache } from 'lru-cache';
import type { AuthenticationRequest, AuthenticationResult, Authenticator, Clock, Logger, UserInfo } from '@coxswain/sdk';
import { bearerToken } from '../bearer-token.js';
import { readClaims } from '../token-keys.js';
import { ClaimMapper } from './claim-mapper.js';
import type { Claims } from './claim-mapper.js';
import { JsonWebKeys } from './json-web-keys.js';
import type { JwtAuthenticatorConfig } from './jwt-authenticator-config.js';
import { isSignedByOne } from './verify-jwt.js';

const NONE: AuthenticationResult = { type: 'none' };
const CACHE_MS = 10_000;

interface Accepted {
  readonly user: UserInfo;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly until: number;
}

/** ID tokens of an OpenID Connect issuer. Throws CompileError for expressions that do not compile. */
export class JwtAuthenticator implements Authenticator {
  readonly name: string;
  readonly #keys: JsonWebKeys;
  readonly #mapper: ClaimMapper;
  readonly #accepted = new LRUCache<string, Accepted>({ max: 4096 });

  constructor(
    readonly config: JwtAuthenticatorConfig,
    readonly clock: Clock,
    readonly logger: Logger,
  ) {
    const { url, discoveryUrl, certificateAuthority } = config.issuer;
    this.name = `jwt ${url}`;
    this.#mapper = new ClaimMapper(config);
    this.#keys = new JsonWebKeys({
      issuerUrl: url,
      ...(discoveryUrl ? { discoveryUrl } : {}),
      ...(certificateAuthority ? { certificateAuthority } : {}),
      clock,
    });
  }

  authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> | AuthenticationResult {
    const token = bearerToken(request.headers);
    if (token === undefined) return NONE;
    const known = this.#accepted.get(token);
    if (known && known.until > this.clock.monotonic() && known.expires > this.clock.now()) return { type: 'user', user: known.user };
    const read = readClaims(token);
    // Somebody else's token: the next one may know it.
    if (!read || read.claims.iss !== this.config.issuer.url) return NONE;
    return this.#check(token, read.header, read.claims).catch((error: unknown) => {
      this.logger.debug('a token was refused', { authenticator: this.name, err: error });
      return { type: 'failed', message: (error as Error).message };
    });
  }

  async #check(token: string, { alg = '', kid }: { readonly alg?: string; readonly kid?: string }, claims: Claims): Promise<AuthenticationResult> {
    const { signingAlgorithms, issuer } = this.config;
    if (!signingAlgorithms.includes(alg))
      throw new Error(
        `oidc: verify token: oidc: id token signed with unsupported algorithm, expected ${JSON.stringify(signingAlgorithms)} got ${JSON.stringify(alg)}`,
      );
    const expires = this.#checkTimes(claims);
    const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
    if (!issuer.audiences.some((audience) => audiences.includes(audience)))
      throw new Error(`oidc: verify token: oidc: expected audience in ${JSON.stringify(issuer.audiences)} got ${JSON.stringify(audiences)}`);
    if (!isSignedByOne(token, alg, await this.#keys.candidates(kid)))
      throw new Error('oidc: verify token: failed to verify signature: failed to verify id token signature');
    const user = this.#mapper.userOf(claims);
    this.#accepted.set(token, { user, expires, until: this.clock.monotonic() + CACHE_MS });
    return { type: 'user', user };
  }

  /** When it ends. */
  #checkTimes({ exp, nbf }: Claims): number {
    const now = this.clock.now();
    if (typeof exp !== 'number') throw new Error('oidc: verify token: the token does not say when it expires');
    if (exp * 1000 <= now) throw new Error(`oidc: verify token: oidc: token is expired (Token Expiry: ${new Date(exp * 1000).toISOString()})`);
    // Clocks may differ by some minutes, as upstream's library has it.
    if (typeof nbf === 'number' && nbf * 1000 > now + 300_000)
      throw new Error(
        `oidc: verify token: oidc: current time ${new Date(now).toISOString()} before the nbf (not before) time: ${new Date(nbf * 1000).toISOString()}`,
      );
    return exp * 1000;
  }
}
