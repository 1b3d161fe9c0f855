import { LRUCache } from 'lru-cache';
import type { KubeObject } from '@coxswain/api';
import type { AuthenticationRequest, AuthenticationResult, Authenticator, Clock, Random, UserInfo } from '@coxswain/sdk';
import type { ResourceCache } from '../storage/resource-cache.js';
import { bearerToken } from './bearer-token.js';
import { checkLegacyClaims, LEGACY_ISSUER } from './legacy-service-account-token.js';
import { readClaims, signatureIsValid, signToken } from './token-keys.js';
import type { SigningKey } from './token-keys.js';

const SERVICE_ACCOUNTS = 'system:serviceaccounts';
const NONE: AuthenticationResult = { type: 'none' };
/** An object being deleted vouches for its tokens a little longer, so that it can finish. */
const DELETION_LEEWAY_MS = 60_000;
const CLOCK_SKEW_SECONDS = 10;

interface Ref {
  readonly name: string;
  readonly uid: string;
}

export interface BoundTo {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: Ref;
  readonly pod?: Ref;
  readonly secret?: Ref;
  readonly node?: Ref;
  readonly warnafter?: number;
}

interface Claims {
  readonly iss: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly nbf?: number;
  readonly sub: string;
  readonly jti?: string;
  readonly 'kubernetes.io': KubernetesClaims;
}

interface Verified {
  readonly claims: Claims;
  readonly user: UserInfo;
}

export interface ServiceAccountTokensOptions {
  /** The first signs; all are named in tokens as `iss` and accepted. */
  readonly issuers: readonly string[];
  /** Told the Secret whose token was used. */
  readonly legacyUsed?: (secret: KubeObject) => void;
  /** Of this API server: tokens of Secrets name none, and are for these. */
  readonly apiAudiences: readonly string[];
  readonly signing: SigningKey | undefined;
  readonly verifying: readonly SigningKey[];
  readonly clock: Clock;
  readonly random: Random;
  readonly caches: { readonly serviceAccounts: ResourceCache; readonly pods: ResourceCache; readonly secrets: ResourceCache; readonly nodes: ResourceCache };
}

export interface IssueRequest {
  readonly namespace: string;
  readonly serviceAccount: Ref;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly warnAfterSeconds?: number;
  readonly boundTo?: BoundTo;
  /** The node of the pod it is bound to. */
  readonly node?: Ref;
}

/** Makes and checks the tokens of service accounts: signature, times, audience, and that everything it is bound to still exists. */
export class ServiceAccountTokens implements Authenticator {
  readonly name = 'service-account';
  readonly #verified = new LRUCache<string, Verified>({ max: 10_000 });
  readonly #legacy = new LRUCache<string, Readonly<Record<string, unknown>>>({ max: 1_000 });

  constructor(readonly options: ServiceAccountTokensOptions) {}

  get canIssue(): boolean {
    return this.options.signing !== undefined;
  }

  issue(request: IssueRequest): { readonly token: string; readonly id: string } {
    const { signing, issuers, clock, random } = this.options;
    if (!signing) throw new Error('there is no key to sign service account tokens with');
    const now = Math.floor(clock.now() / 1000);
    const id = random.uuid();
    const { boundTo, node, namespace, serviceAccount } = request;
    const bound = boundTo ? { [boundTo.kind.toLowerCase()]: { name: boundTo.name, uid: boundTo.uid } } : {};
    const claims = {
      aud: request.audiences,
      exp: now + request.expirationSeconds,
      iat: now,
      iss: issuers[0],
      jti: id,
      'kubernetes.io': {
        namespace,
        ...(node ? { node } : {}),
        ...bound,
        serviceaccount: serviceAccount,
        ...(request.warnAfterSeconds === undefined ? {} : { warnafter: now + request.warnAfterSeconds }),
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    };
    return { token: signToken(claims, signing), id };
  }

  authenticate(request: AuthenticationRequest): AuthenticationResult {
    const token = bearerToken(request.headers);
    return token === undefined ? NONE : this.check(token, request.audiences);
  }

  /** Also for TokenReview. `audiences` empty: any. */
  check(token: string, audiences: readonly string[]): AuthenticationResult {
    const verified = this.#verify(token);
    if (verified === 'foreign') return this.#checkLegacy(token, audiences);
    if (typeof verified === 'string') return { type: 'failed', message: verified };
    const { claims, user } = verified;
    const now = this.options.clock.now();
    if (claims.exp * 1000 <= now) return { type: 'failed', message: 'service account token has expired' };
    if (claims.nbf !== undefined && claims.nbf > now / 1000 + CLOCK_SKEW_SECONDS) return { type: 'failed', message: 'service account token is not valid yet' };
    const shared = audiences.filter((audience) => claims.aud.includes(audience));
    if (audiences.length > 0 && shared.length === 0)
      return { type: 'failed', message: `token audiences ${JSON.stringify(claims.aud)} is invalid for the target audiences ${JSON.stringify(audiences)}` };
    const problem = this.#bindingProblem(claims['kubernetes.io']);
    return problem === undefined ? { type: 'user', user, audiences: shared } : { type: 'failed', message: problem };
  }

  #verify(token: string): Verified | 'foreign' | (string & {}) {
    const known = this.#verified.get(token);
    if (known) return known;
    const read = readClaims(token);
    if (!read || !this.options.issuers.includes(read.claims.iss as string)) return 'foreign';
    const { header, claims } = read;
    if (!this.#signed(token, header)) return 'invalid signature';
    const own = claims['kubernetes.io'] as KubernetesClaims | undefined;
    if (!own?.serviceaccount?.name || !own.namespace || typeof claims.exp !== 'number') return 'claims are incomplete';
    const aud = Array.isArray(claims.aud) ? (claims.aud as string[]) : [String(claims.aud)];
    const full = { ...claims, aud } as unknown as Claims;
    if (full.sub !== `system:serviceaccount:${own.namespace}:${own.serviceaccount.name}`) return 'the subject is not the service account';
    const verified = { claims: full, user: userOf(full) };
    this.#verified.set(token, verified);
    return verified;
  }

  #checkLegacy(token: string, audiences: readonly string[]): AuthenticationResult {
    let claims = this.#legacy.get(token);
    if (!claims) {
      const read = readClaims(token);
      if (read?.claims.iss !== LEGACY_ISSUER) return NONE;
      if (!this.#signed(token, read.header)) return { type: 'failed', message: 'invalid signature' };
      claims = read.claims;
      this.#legacy.set(token, claims);
    }
    const own = this.options.apiAudiences;
    const shared = audiences.filter((audience) => own.includes(audience));
    if (audiences.length > 0 && shared.length === 0)
      return { type: 'failed', message: `token audiences ${JSON.stringify(own)} is invalid for the target audiences ${JSON.stringify(audiences)}` };
    const result = checkLegacyClaims(token, claims, this.options.caches, this.options.legacyUsed);
    return result.type === 'user' ? { ...result, audiences: shared } : result;
  }

  #signed(token: string, header: { readonly kid?: string; readonly alg?: string }): boolean {
    const candidates = this.options.verifying.filter((key) => header.kid === undefined || key.id === header.kid);
    return candidates.some((key) => signatureIsValid(token, header.alg, key));
  }

  #bindingProblem({ namespace, serviceaccount, pod, secret, node }: KubernetesClaims): string | undefined {
    const { serviceAccounts, pods, secrets, nodes } = this.options.caches;
    return (
      this.#missing(serviceAccounts, namespace, serviceaccount, 'service account') ??
      (pod && this.#missing(pods, namespace, pod, 'pod')) ??
      (secret && this.#missing(secrets, namespace, secret, 'secret')) ??
      (node && !pod ? this.#missing(nodes, '', node, 'node') : undefined)
    );
  }

  #missing(cache: ResourceCache, namespace: string, ref: Ref, what: string): string | undefined {
    const found = cache.get(namespace, ref.name)?.object;
    if (!found) return `${what} ${ref.name} the token is bound to does not exist`;
    if (found.metadata.uid !== ref.uid) return `${what} UID (${found.metadata.uid}) does not match claim (${ref.uid})`;
    const { deletionTimestamp } = found.metadata;
    if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS < this.options.clock.now())
      return `${what} ${ref.name} has been deleted`;
    return undefined;
  }
}

function userOf(claims: Claims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io'];
  const extra: Record<string, string[]> = {};
  const note = (key: string, value: string) => {
    extra[`authentication.kubernetes.io/${key}`] = [value];
  };
  if (claims.jti) note('credential-id', `JTI=${claims.jti}`);
  if (node) {
    note('node-name', node.name);
    note('node-uid', node.uid);
  }
  if (pod) {
    note('pod-name', pod.name);
    note('pod-uid', pod.uid);
  }
  return {
    name: claims.sub,
    uid: serviceaccount.uid,
    groups: [SERVICE_ACCOUNTS, `${SERVICE_ACCOUNTS}:${namespace}`],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}
