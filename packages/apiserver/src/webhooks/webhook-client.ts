import { Agent, request as requestHttps } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Clock, Random } from '@coxswain/sdk';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { serviceAddress } from './service-address.js';

/** `clientConfig` of a webhook. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number };
  /** Base64 of PEM. */
  readonly caBundle?: string;
}

const MAX_ANSWER = 3 * 1024 * 1024;
const MAX_AGENTS = 256;

/** Why a webhook could not be asked, in upstream's words. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

interface Target {
  readonly url: URL;
  /** Where to connect, when not where the URL says. */
  readonly address?: { readonly host: string; readonly port: number };
}

/** Posts JSON to webhooks over HTTPS, with connections kept between calls. */
export class WebhookClient {
  readonly #agents = new Map<string, Agent>();

  constructor(
    readonly registry: ResourceRegistry,
    readonly clock: Clock,
    readonly random: Random,
  ) {}

  /** The parsed answer. Rejects with WebhookError; `timeoutMs` covers the whole call. */
  async post(config: WebhookClientConfig, body: unknown, timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    const target = this.#target(config);
    target.url.searchParams.set('timeout', goDuration(timeoutMs));
    const abort = new AbortController();
    const stop = () => abort.abort(new Error('the request was cancelled'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const cancel = this.clock.setTimeout(() => abort.abort(new Error('context deadline exceeded')), timeoutMs);
    try {
      return await this.#send(target, config, Buffer.from(JSON.stringify(body)), abort.signal);
    } catch (error) {
      if (error instanceof WebhookError) throw error;
      const why = abort.signal.aborted ? (abort.signal.reason as Error) : (error as Error);
      throw new WebhookError(`failed to call webhook: Post ${JSON.stringify(target.url.href)}: ${why.message}`, { cause: error });
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #target({ url, service }: WebhookClientConfig): Target {
    if (url !== undefined) return { url: new URL(url) };
    if (!service) throw new WebhookError('webhook configuration must have either service or URL');
    const port = service.port ?? 443;
    const suffix = port === 443 ? '' : `:${port}`;
    const path = service.path ? (service.path.startsWith('/') ? service.path : `/${service.path}`) : '/';
    const named = new URL(`https://${service.name}.${service.namespace}.svc${suffix}${path}`);
    try {
      return { url: named, address: serviceAddress(this.registry, this.random, service.namespace, service.name, port) };
    } catch (error) {
      throw new WebhookError(`failed to call webhook: Post ${JSON.stringify(named.href)}: ${(error as Error).message}`, { cause: error });
    }
  }

  #agent(config: WebhookClientConfig, servername: string): Agent {
    const key = `${servername}\n${config.caBundle ?? ''}`;
    let agent = this.#agents.get(key);
    if (agent) return agent;
    if (this.#agents.size >= MAX_AGENTS) this.close();
    agent = new Agent({
      keepAlive: true,
      maxSockets: 64,
      maxFreeSockets: 4,
      timeout: 60_000,
      ...(config.caBundle ? { ca: Buffer.from(config.caBundle, 'base64').toString() } : {}),
    });
    this.#agents.set(key, agent);
    return agent;
  }

  async #send({ url, address }: Target, config: WebhookClientConfig, body: Buffer, signal: AbortSignal): Promise<unknown> {
    const bracketless = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = requestHttps({
        host: address?.host ?? bracketless,
        port: address?.port ?? (url.port === '' ? 443 : Number(url.port)),
        // Certificates name the service, wherever its endpoints are.
        ...(/^[\d.]+$|:/.test(bracketless) ? {} : { servername: bracketless }),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        agent: this.#agent(config, bracketless),
        signal,
        headers: {
          host: url.host,
          'content-type': 'application/json',
          accept: 'application/json, */*',
          'content-length': body.length,
          'user-agent': 'kube-apiserver-admission',
        },
      });
      request.on('error', reject);
      request.on('response', resolve);
      request.end(body);
    });
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      const said = text.trim();
      throw new WebhookError(
        `failed to call webhook: ${said === '' ? `the server responded with the status code ${status} but did not return more information` : `an error on the server (${JSON.stringify(said.slice(0, 500))}) has prevented the request from succeeding`}`,
      );
    }
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new WebhookError(`failed to call webhook: couldn't get version/kind; json parse error: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) {
      response.destroy();
      throw new WebhookError(`failed to call webhook: http: response body too large: more than ${MAX_ANSWER} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function goDuration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
