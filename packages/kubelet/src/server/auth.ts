import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { AccessReviewer, certificateUser, type KubeClient, type RequestUser, TokenReviewer } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import type { IncomingMessage } from 'node:http';

export interface ServerAuthOptions {
  readonly anonymous: boolean;
  readonly webhook: boolean;
  readonly authorization: 'Webhook' | 'AlwaysAllow';
  readonly nodeName: string;
  readonly tokenCacheMs: number;
  readonly allowedCacheMs: number;
  readonly deniedCacheMs: number;
}

/** Who calls the kubelet's API and whether they may: client certificates and token reviews, then access reviews, by the API server. */
export class ServerAuth {
  readonly #tokens: TokenReviewer;
  readonly #reviews: AccessReviewer;

  constructor(
    client: KubeClient,
    clock: Clock,
    private readonly options: ServerAuthOptions,
  ) {
    const times = { tokenMs: options.tokenCacheMs, allowedMs: options.allowedCacheMs, deniedMs: options.deniedCacheMs };
    this.#tokens = new TokenReviewer(client, clock, times);
    this.#reviews = new AccessReviewer(client, clock, times);
  }

  /** Undefined: not known. */
  async authenticate(request: IncomingMessage): Promise<RequestUser | undefined> {
    const socket = request.socket as TLSSocket;
    if (socket.authorized) {
      const raw = socket.getPeerCertificate(false)?.raw;
      if (raw) return certificateUser(new X509Certificate(raw));
    }
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token && this.options.webhook) return this.#tokens.user(token);
    if (token) return undefined;
    return this.options.anonymous ? { name: 'system:anonymous', groups: ['system:unauthenticated'] } : undefined;
  }

  /** Undefined: allowed; else why not. */
  async authorize(user: RequestUser, method: string, path: string): Promise<string | undefined> {
    if (this.options.authorization === 'AlwaysAllow') return undefined;
    const attributes = requestAttributes(method, path);
    let reason = '';
    // The fine-grained resource first, then the one that means everything.
    for (const subresource of attributes.subresources) {
      const resourceAttributes = { verb: attributes.verb, version: 'v1', resource: 'nodes', subresource, name: this.options.nodeName };
      const verdict = await this.#reviews.review(user, { resourceAttributes });
      if (verdict.allowed) return undefined;
      reason = verdict.reason;
    }
    const [subresource] = attributes.subresources;
    return `Forbidden (user=${user.name}, verb=${attributes.verb}, resource=nodes, subresource(s)=[${attributes.subresources.join(' ')}])${reason && subresource ? `: ${reason}` : ''}`;
  }
}

/** What an access review is asked for a request of the kubelet's API. Pure. */
export function requestAttributes(method: string, path: string): { readonly verb: string; readonly subresources: readonly string[] } {
  const verb = ({ POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as Record<string, string>)[method] ?? 'get';
  const under = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`);
  if (under('/stats')) return { verb, subresources: ['stats'] };
  if (under('/metrics')) return { verb, subresources: ['metrics'] };
  if (under('/checkpoint')) return { verb, subresources: ['checkpoint'] };
  if (under('/statusz')) return { verb, subresources: ['statusz'] };
  if (under('/flagz')) return { verb, subresources: ['configz'] };
  if (under('/logs')) return { verb, subresources: ['log'] };
  if (under('/configz')) return { verb, subresources: ['configz', 'proxy'] };
  if (under('/healthz')) return { verb, subresources: ['healthz', 'proxy'] };
  if (under('/pods') || under('/runningpods')) return { verb, subresources: ['pods', 'proxy'] };
  return { verb, subresources: ['proxy'] };
}
