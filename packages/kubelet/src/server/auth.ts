import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import type { IncomingMessage } from 'node:http';

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ServerAuthOptions {
  readonly anonymous: boolean;
  readonly webhook: boolean;
  readonly authorization: 'Webhook' | 'AlwaysAllow';
  readonly nodeName: string;
  readonly tokenCacheMs: number;
  readonly allowedCacheMs: number;
  readonly deniedCacheMs: number;
}

const MAX_CACHED = 1000;

/** Who calls the kubelet's API and whether they may: client certificates and token reviews, then access reviews, by the API server. */
export class ServerAuth {
  readonly #tokens = new Map<string, { readonly until: number; readonly user: User | undefined }>();
  readonly #verdicts = new Map<string, { readonly until: number; readonly allowed: boolean; readonly reason: string }>();

  constructor(
    private readonly client: KubeClient,
    private readonly clock: Clock,
    private readonly options: ServerAuthOptions,
  ) {}

  /** Undefined: not known. */
  async authenticate(request: IncomingMessage): Promise<User | undefined> {
    const socket = request.socket as TLSSocket;
    if (socket.authorized) {
      const raw = socket.getPeerCertificate(false)?.raw;
      if (raw) return certificateUser(new X509Certificate(raw));
    }
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token && this.options.webhook) return this.#review(token);
    if (token) return undefined;
    return this.options.anonymous ? { name: 'system:anonymous', groups: ['system:unauthenticated'] } : undefined;
  }

  async #review(token: string): Promise<User | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    const now = this.clock.monotonic();
    const known = this.#tokens.get(key);
    if (known && known.until > now) return known.user;
    const answer = await this.client.api.tokenReviews().create({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } });
    const u = answer.status?.authenticated ? answer.status.user : undefined;
    const user = u ? { name: u.username ?? '', groups: u.groups ?? [], ...(u.uid ? { uid: u.uid } : {}), ...(u.extra ? { extra: u.extra } : {}) } : undefined;
    remember(this.#tokens, key, { until: now + this.options.tokenCacheMs, user });
    return user;
  }

  /** Undefined: allowed; else why not. */
  async authorize(user: User, method: string, path: string): Promise<string | undefined> {
    if (this.options.authorization === 'AlwaysAllow') return undefined;
    const attributes = requestAttributes(method, path);
    let reason = '';
    // The fine-grained resource first, then the one that means everything.
    for (const subresource of attributes.subresources) {
      const verdict = await this.#access(user, attributes.verb, subresource);
      if (verdict.allowed) return undefined;
      reason = verdict.reason;
    }
    const [subresource] = attributes.subresources;
    return `Forbidden (user=${user.name}, verb=${attributes.verb}, resource=nodes, subresource(s)=[${attributes.subresources.join(' ')}])${reason && subresource ? `: ${reason}` : ''}`;
  }

  async #access(user: User, verb: string, subresource: string): Promise<{ readonly allowed: boolean; readonly reason: string }> {
    const key = JSON.stringify([user, verb, subresource]);
    const now = this.clock.monotonic();
    const known = this.#verdicts.get(key);
    if (known && known.until > now) return known;
    const answer = await this.client.api.subjectAccessReviews().create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: user.name,
        groups: [...user.groups],
        ...(user.uid ? { uid: user.uid } : {}),
        ...(user.extra ? { extra: Object.fromEntries(Object.entries(user.extra).map(([k, v]) => [k, [...v]])) } : {}),
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: this.options.nodeName },
      },
    });
    const allowed = answer.status?.allowed === true;
    const verdict = { allowed, reason: answer.status?.reason ?? '', until: now + (allowed ? this.options.allowedCacheMs : this.options.deniedCacheMs) };
    remember(this.#verdicts, key, verdict);
    return verdict;
  }
}

/** What an access review is asked for a request of the kubelet's API. Pure. */
export function requestAttributes(method: string, path: string): { readonly verb: string; readonly subresources: readonly string[] } {
  const verb = ({ POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as Record<string, string>)[method] ?? 'get';
  const under = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`);
  if (under('/stats')) return { verb, subresources: ['stats'] };
  if (under('/metrics')) return { verb, subresources: ['metrics'] };
  if (under('/logs')) return { verb, subresources: ['log'] };
  if (under('/configz')) return { verb, subresources: ['configz', 'proxy'] };
  if (under('/healthz')) return { verb, subresources: ['healthz', 'proxy'] };
  if (under('/pods') || under('/runningpods')) return { verb, subresources: ['pods', 'proxy'] };
  return { verb, subresources: ['proxy'] };
}

function certificateUser(cert: X509Certificate): User {
  const fields = cert.subject.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return { name: fields.find(([k]) => k === 'CN')?.[1] ?? '', groups: [...fields.filter(([k]) => k === 'O').map(([, v]) => v), 'system:authenticated'] };
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_CACHED) map.delete(map.keys().next().value as string);
}
