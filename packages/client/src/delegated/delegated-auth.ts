import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock, Denial } from '@coxswain/sdk';
import type { KubeClient } from '../rest/kube-client.js';
import { certificatesIn, certificateUser, isClientOf } from './certificate-user.js';
import { AccessReviewer, type RequestUser, type ReviewTimes, TokenReviewer } from './reviews.js';

/** Proxies that say for whom they ask (`--requestheader-…`). */
export interface RequestHeaderOptions {
  /** PEM bundle that signs the proxies' certificates. */
  readonly clientCa: string;
  /** Their common names; empty: any. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

export interface DelegatedAuthOptions {
  /** For TokenReviews and the cluster's client CA. Absent: tokens are not known. */
  readonly authentication?: KubeClient;
  /** For SubjectAccessReviews. Absent: what is not always allowed is forbidden. */
  readonly authorization?: KubeClient;
  /** PEM bundle that signs client certificates; absent: the config map `extension-apiserver-authentication` has it. */
  readonly clientCa?: string;
  readonly requestHeader?: RequestHeaderOptions;
  /** Paths anybody may get; one that ends with `*` stands for all that begin so. */
  readonly alwaysAllowPaths: readonly string[];
  readonly times?: ReviewTimes;
  readonly clock: Clock;
}

const anonymous: RequestUser = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const LOOKUP_MS = 60_000;

/** Who may see what a component serves about itself: the API server is asked, as upstream's components ask it. */
export class DelegatedAuth {
  readonly #tokens: TokenReviewer | undefined;
  readonly #access: AccessReviewer | undefined;
  readonly #clients: readonly X509Certificate[] | undefined;
  readonly #proxies: readonly X509Certificate[];
  #lookup: { readonly until: number; readonly clients: Promise<readonly X509Certificate[]> } | undefined;

  constructor(private readonly options: DelegatedAuthOptions) {
    const { authentication, authorization, clientCa, requestHeader, clock, times } = options;
    this.#clients = clientCa === undefined ? undefined : certificatesIn(clientCa);
    this.#proxies = certificatesIn(requestHeader?.clientCa);
    this.#tokens = authentication && new TokenReviewer(authentication, clock, times);
    this.#access = authorization && new AccessReviewer(authorization, clock, times);
  }

  /** Undefined: go ahead. */
  readonly check = async (request: IncomingMessage): Promise<Denial | undefined> => {
    const path = new URL(request.url ?? '/', 'http://component').pathname;
    if (this.options.alwaysAllowPaths.some((p) => (p.endsWith('*') ? path.startsWith(p.slice(0, -1)) : p === path))) return undefined;
    const user = await this.#user(request);
    if (!user) return { status: 401, message: 'Unauthorized' };
    const verb = (request.method ?? 'GET').toLowerCase();
    const verdict = user.groups.includes('system:masters') ? { allowed: true, reason: '' } : await this.#review(user, verb, path);
    if (verdict.allowed) return undefined;
    return {
      status: 403,
      message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${verdict.reason && `: ${verdict.reason}`}`,
    };
  };

  async #review(user: RequestUser, verb: string, path: string) {
    return this.#access ? this.#access.review(user, { nonResourceAttributes: { verb, path } }) : { allowed: false, reason: 'no --authorization-kubeconfig' };
  }

  async #user(request: IncomingMessage): Promise<RequestUser | undefined> {
    const raw = (request.socket as TLSSocket).getPeerCertificate?.(false)?.raw;
    const cert = raw && new X509Certificate(raw);
    if (cert) {
      const now = this.options.clock.now();
      const proxied = this.#proxied(request, cert, now);
      if (proxied) return proxied;
      if (isClientOf(cert, await this.#authorities(), now)) return certificateUser(cert);
    }
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token) return this.#tokens?.user(token);
    return anonymous;
  }

  #proxied(request: IncomingMessage, cert: X509Certificate, now: number): RequestUser | undefined {
    const proxy = this.options.requestHeader;
    if (!proxy || !isClientOf(cert, this.#proxies, now)) return undefined;
    const { name: commonName } = certificateUser(cert);
    if (proxy.allowedNames.length > 0 && !proxy.allowedNames.includes(commonName)) return undefined;
    const values = (names: readonly string[]) => names.flatMap((n) => request.headersDistinct[n.toLowerCase()] ?? []).filter((v) => v !== '');
    const [name] = values(proxy.usernameHeaders);
    if (name === undefined) return undefined;
    const extra: Record<string, readonly string[]> = {};
    for (const [header, given] of Object.entries(request.headersDistinct)) {
      const prefix = proxy.extraHeaderPrefixes.find((p) => header.startsWith(p.toLowerCase()));
      if (prefix && given) extra[decodeURIComponent(header.slice(prefix.length))] = given;
    }
    return { name, groups: [...values(proxy.groupHeaders), 'system:authenticated'], extra };
  }

  /** The authorities of the cluster's clients; asked for again now and then, as they may change. */
  async #authorities(): Promise<readonly X509Certificate[]> {
    const { authentication, clock } = this.options;
    if (this.#clients) return this.#clients;
    if (!authentication) return [];
    if (!this.#lookup || this.#lookup.until < clock.monotonic()) {
      const found = authentication.api.configMaps('kube-system').get('extension-apiserver-authentication');
      this.#lookup = { until: clock.monotonic() + LOOKUP_MS, clients: found.then((map) => certificatesIn(map.data?.['client-ca-file'])) };
    }
    try {
      return await this.#lookup.clients;
    } catch {
      // As upstream's components: who cannot be looked up is not known by certificate.
      this.#lookup = undefined;
      return [];
    }
  }
}
