import type { OutgoingHttpHeaders } from 'node:http';
import { type Agent, request as requestHttps } from 'node:https';
import type { APIService, KubeObject } from '@coxswain/api';
import type { Clock, Random, UserInfo } from '@coxswain/sdk';
import type { Backend } from '../proxy/backend.js';
import { type BackendConnections, isReplayable, requestError } from '../proxy/connections.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { serviceAddress } from '../webhooks/service-address.js';

/** What the API server shows servers it passes requests on to. */
export interface ProxyClient {
  readonly cert: string;
  readonly key: string;
}

export type ApiService = APIService & KubeObject;

export interface RemoteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const MAX_BODY = 32 * 1024 * 1024;

/** The server behind an APIService. */
export class RemoteApi {
  constructor(
    readonly registry: ResourceRegistry,
    readonly clock: Clock,
    readonly random: Random,
    readonly client: ProxyClient | undefined,
  ) {}

  /** Throws when the service cannot be found or has no endpoints. */
  backend({ spec }: ApiService, path: string, connections: BackendConnections): Backend {
    const service = spec?.service;
    if (!service?.name || !service.namespace) throw new Error('the APIService names no service');
    const { host, port } = serviceAddress(this.registry, this.random, service.namespace, service.name, service.port ?? 443);
    return {
      scheme: 'https',
      host,
      port,
      path,
      connections,
      tls: {
        servername: `${service.name}.${service.namespace}.svc`,
        ...(this.client ?? {}),
        ...(spec?.insecureSkipTLSVerify ? { rejectUnauthorized: false } : {}),
        ...(spec?.caBundle ? { ca: Buffer.from(spec.caBundle, 'base64').toString() } : {}),
      },
    };
  }

  /** One request with a whole answer. Rejects when there is none in time. */
  async fetch(backend: Backend, method: string, headers: OutgoingHttpHeaders, body: Buffer | undefined, timeoutMs: number): Promise<RemoteAnswer> {
    const abort = new AbortController();
    const cancel = this.clock.setTimeout(() => abort.abort(new Error(`context deadline exceeded`)), timeoutMs);
    try {
      return await send(backend, method, headers, body, abort.signal);
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
      cancel();
    }
  }
}

function send(backend: Backend, method: string, headers: OutgoingHttpHeaders, body: Buffer | undefined, signal: AbortSignal): Promise<RemoteAnswer> {
  const attempt = (agent: Agent | false) => sendBy(agent, backend, method, headers, body, signal);
  const replayable = isReplayable(method, {}) && !body?.length;
  return backend.connections ? backend.connections.use(replayable, signal, attempt) : attempt(false);
}

function sendBy(
  agent: Agent | false,
  { host, port, path, tls }: Backend,
  method: string,
  headers: OutgoingHttpHeaders,
  body: Buffer | undefined,
  signal: AbortSignal,
): Promise<RemoteAnswer> {
  return new Promise((resolve, reject) => {
    const request = requestHttps({ host, port, path, method, headers, signal, agent, ...tls });
    request.on('error', (error) => reject(requestError(request, error)));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY) request.destroy(new Error('the answer is too large'));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

/** Who the request is from, for a server that trusts our certificate. */
export function identityHeaders(user: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': user.name };
  if (user.groups.length > 0) headers['x-remote-group'] = [...user.groups];
  if (user.uid) headers['x-remote-uid'] = user.uid;
  for (const [key, values] of Object.entries(user.extra ?? {})) headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values];
  return headers;
}
