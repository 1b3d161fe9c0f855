import type { UserInfo } from '../auth.js';
import { token } from '../token.js';

/** A request for a resource, as routing sees it: authenticated, authorized, and not yet answered. */
export interface ApiRouteRequest {
  readonly user: UserInfo;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly subresource: string;
  /** '' for cluster scope and for requests over all namespaces. */
  readonly namespace: string;
  readonly name: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A secondary server requests are routed to. It is told who asks by the primary's client certificate and `X-Remote-…` headers. */
export interface ApiBackend {
  /** For messages and metrics. */
  readonly name: string;
  /** `https://host:port`, or a Service of the cluster, whose endpoints are used. */
  readonly target: { readonly url: string } | { readonly service: { readonly namespace: string; readonly name: string; readonly port?: number } };
  /** PEM; absent: the system's. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

/** What becomes of a request whose backend does not answer. */
export type ApiRouteFailurePolicy =
  /** 503. */
  | 'Fail'
  /** As if the route were not there: the next one, and in the end whoever serves the resource. Only before anything was sent. */
  | 'Ignore';

/** Where a request goes. */
export interface ApiRoute {
  /** For messages, metrics and the `X-Coxswain-Route` header of the answer. */
  readonly name: string;
  readonly backend: ApiBackend;
  readonly failurePolicy: ApiRouteFailurePolicy;
}

/**
 * Decides for each resource request whether another server answers it, before the primary's own resources and APIServices are looked
 * at. Routers are asked in the order of `precedence`, lowest first; the first route wins. A router must be quick and must not do I/O.
 */
export interface ApiRouter {
  readonly name: string;
  /** Rules from `--api-routes-config` have 1000. */
  readonly precedence: number;
  /** Empty: none of its business. Else all routes that apply, best first: the further ones are for `failurePolicy: Ignore`. */
  route(request: ApiRouteRequest): readonly ApiRoute[];
}

export const ApiRouter = token<ApiRouter>('coxswain.api-router.v1');
