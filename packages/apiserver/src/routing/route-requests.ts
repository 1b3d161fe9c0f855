import type { Socket } from 'node:net';
import { ApiError } from '@coxswain/apimachinery';
import type { ApiBackend, ApiRoute, ApiRouter, Clock, Logger, Random } from '@coxswain/sdk';
import { identityHeaders } from '../aggregator/remote-api.js';
import type { ProxyClient } from '../aggregator/remote-api.js';
import { dial } from '../proxy/backend.js';
import type { Backend } from '../proxy/backend.js';
import { passThrough } from '../proxy/pass-through.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import { serviceAddress } from '../webhooks/service-address.js';

export const ROUTE_HEADER = 'x-coxswain-route';
const CONNECT_MS = 5000;
/** A backend that was not reached is not tried again for so long, where the policy lets it be left out. */
const REST_MS = 5000;

export interface RouteRequestsOptions {
  readonly routers: readonly ApiRouter[];
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly proxyClient?: ProxyClient;
  readonly onRouted?: (route: string, outcome: 'routed' | 'ignored' | 'failed') => void;
}

/** Sends resource requests where routers want them. */
export class RouteRequests {
  readonly #routers: readonly ApiRouter[];
  readonly #resting = new Map<string, number>();

  constructor(readonly options: RouteRequestsOptions) {
    this.#routers = [...options.routers].sort((a, b) => a.precedence - b.precedence);
  }

  /** Undefined: whoever serves the resource answers, through `otherwise` when every route has been left out. */
  delegate(context: RequestContext, otherwise: () => Promise<ApiResponse> | ApiResponse): Promise<ApiResponse> | undefined {
    // Requests of this process are its own affair: their answers are objects, not bytes.
    if (this.#routers.length === 0 || !context.request.raw) return undefined;
    const routes = this.#routesOf(context);
    return routes.length === 0 ? undefined : this.#follow(context, routes, otherwise);
  }

  #routesOf({ user, info, resource, request }: RequestContext): readonly ApiRoute[] {
    const { group, version, namespace, name, subresource } = resource;
    const asked = { user, verb: info.verb, group, version, resource: resource.resource, subresource, namespace, name, headers: request.headers };
    return this.#routers.flatMap((router) => router.route(asked));
  }

  async #follow(context: RequestContext, routes: readonly ApiRoute[], otherwise: () => Promise<ApiResponse> | ApiResponse): Promise<ApiResponse> {
    for (const route of routes) {
      const reached = await this.#reach(route, context);
      if (reached) {
        this.options.onRouted?.(route.name, 'routed');
        const { backend, connection } = reached;
        return passThrough(context.request, backend, { headers: identityHeaders(context.user), answer: { [ROUTE_HEADER]: route.name }, connection });
      }
      if (route.failurePolicy === 'Fail') {
        this.options.onRouted?.(route.name, 'failed');
        throw ApiError.serviceUnavailable(`route ${JSON.stringify(route.name)}: backend ${JSON.stringify(route.backend.name)} cannot be reached`);
      }
      this.options.onRouted?.(route.name, 'ignored');
    }
    return otherwise();
  }

  /** A connection to the backend: a request may be sent once only, so whether anybody is there is found out before. */
  async #reach({ backend, failurePolicy, name }: ApiRoute, context: RequestContext): Promise<{ backend: Backend; connection: Socket } | undefined> {
    const { clock, logger } = this.options;
    const resting = this.#resting.get(backend.name);
    if (failurePolicy === 'Ignore' && resting !== undefined && resting > clock.monotonic()) return undefined;
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new Error('no connection in time')), CONNECT_MS);
    try {
      const { path, search } = context.request;
      const address = this.#address(backend, search === '' ? path : `${path}?${search}`);
      const connection = await dial(address, AbortSignal.any([limit.signal, context.request.signal]));
      this.#resting.delete(backend.name);
      return { backend: address, connection };
    } catch (err) {
      if (context.request.signal.aborted) throw err;
      if (!this.#resting.has(backend.name)) logger.warn('the backend of a route cannot be reached', { route: name, backend: backend.name, err });
      this.#resting.set(backend.name, clock.monotonic() + REST_MS);
      return undefined;
    } finally {
      cancel();
    }
  }

  /** Throws when a service has no endpoints. */
  #address({ target, ca, insecureSkipTlsVerify }: ApiBackend, path: string): Backend {
    const tls = { ...(this.options.proxyClient ?? {}), ...(ca ? { ca } : {}), ...(insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}) };
    if ('url' in target) {
      const { hostname, port } = new URL(target.url);
      return { scheme: 'https', host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 443 : Number(port), path, tls };
    }
    const { namespace, name, port = 443 } = target.service;
    const { host, port: at } = serviceAddress(this.options.registry, this.options.random, namespace, name, port);
    return { scheme: 'https', host, port: at, path, tls: { ...tls, servername: `${name}.${namespace}.svc` } };
  }
}
