import type { KubeObject } from '@coxswain/api';
import { ApiError, isGlobalUnicast } from '@coxswain/apimachinery';
import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestContext } from '../request/request-context.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import type { Backend } from '../proxy/backend.js';
import type { KubeletLocator } from '../proxy/kubelet-location.js';
import { passThrough } from '../proxy/pass-through.js';
import type { PassOptions } from '../proxy/pass-through.js';
import type { ApiResponse } from '../request/api-request.js';
import type { ActionEnv } from './action-env.js';
import { connect } from './pod-streams.js';
import { parseProxyTarget, type ProxyTarget, serviceEndpoints } from './proxy-target.js';

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** nodes/{name}/proxy/…: the kubelet's own API, or whatever listens at another port of the node. */
export function nodeProxyAction(env: ActionEnv, kubelets: KubeletLocator): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context, 'node');
    const kubelet = kubelets.locate(target.name, pathOf(context));
    await connect(env, context, served, 'proxy', 'NodeProxyOptions');
    // What we show kubelets is for them alone.
    const to = target.port === '' || target.port === String(kubelet.port) ? kubelet : backend(target, kubelet.host, target.port, context);
    return slashRedirect(context) ?? passThrough(context.request, to, proxied(context, to));
  };
}

/** pods/{name}/proxy/…: straight to the pod's address. */
export function podProxyAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context, 'pod');
    const { namespace } = context.resource;
    const pod = served.storage?.cache.get(namespace, target.name)?.object;
    if (!pod) throw ApiError.notFound(served.groupResource, target.name);
    await connect(env, context, served, 'proxy', 'PodProxyOptions');
    const ip = (pod.status?.podIP ?? '') as string;
    // Never to ourselves or to link-local addresses, whatever a pod's status says.
    if (!isGlobalUnicast(ip)) throw ApiError.badRequest('address not allowed');
    const to = backend(target, ip, target.port || firstPort(pod), context);
    return slashRedirect(context) ?? passThrough(context.request, to, proxied(context, to));
  };
}

/** services/{name}/proxy/…: to one of the ready endpoints. */
export function serviceProxyAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context, 'service');
    const { namespace } = context.resource;
    const service = served.storage?.cache.get(namespace, target.name)?.object;
    if (!service) throw ApiError.notFound(served.groupResource, target.name);
    await connect(env, context, served, 'proxy', 'ServiceProxyOptions');
    const endpoints = serviceEndpoints(env.rest.registry, service, target.port);
    const chosen = endpoints[env.rest.random.int(Math.max(1, endpoints.length))];
    if (!chosen) throw ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(context.resource.name)}`);
    const to = backend(target, chosen.ip, String(chosen.port), context);
    return slashRedirect(context) ?? passThrough(context.request, to, proxied(context, to));
  };
}

function targetOf(context: RequestContext, what: string): ProxyTarget {
  const { name } = context.resource;
  const target = parseProxyTarget(name);
  if (!target) throw ApiError.badRequest(`invalid ${what} request ${JSON.stringify(name)}`);
  return target;
}

/** A port is a number, as for Go's dialer: names that containers give their ports are not looked up. */
function backend({ scheme }: ProxyTarget, host: string, port: string, context: RequestContext): Backend {
  const number = port === '' ? DEFAULT_PORTS[scheme] : Number(port);
  if (!/^\d*$/.test(port)) throw unreachable(`lookup ${host}:${port}: no such host`);
  if (number > 65_535) throw unreachable(`address ${port}: invalid port`);
  return { scheme, host, port: number, path: pathOf(context), ...(scheme === 'https' ? { tls: { rejectUnauthorized: false } } : {}) };
}

function unreachable(reason: string): ApiError {
  return ApiError.serviceUnavailable(`error trying to reach service: dial tcp: ${reason}`);
}

function firstPort(pod: KubeObject): string {
  for (const { ports } of (pod.spec?.containers ?? []) as { ports?: { containerPort: number }[] }[]) {
    if (ports?.[0]) return String(ports[0].containerPort);
  }
  return '';
}

function pathOf({ info, request }: RequestContext): string {
  const path = info.resource?.rest === '' || info.resource?.rest === undefined ? '/' : info.resource.rest;
  return request.search === '' ? path : `${path}?${request.search}`;
}

/** `…/proxy` is sent to `…/proxy/`, or a page's relative links would lead astray. */
function slashRedirect({ info, request }: RequestContext): ApiResponse | undefined {
  if (info.resource?.rest || (request.method !== 'GET' && request.method !== 'HEAD') || request.raw?.upgrade) return undefined;
  const location = `${request.path}/${request.search === '' ? '' : `?${request.search}`}`;
  return { type: 'bytes', status: 301, contentType: 'text/html', body: Buffer.alloc(0), headers: { location } };
}

function proxied(context: RequestContext, to: Backend): PassOptions {
  const { info, request } = context;
  const { rest = '' } = info.resource ?? {};
  const prefix = rest !== '' && request.path.endsWith(rest) ? request.path.slice(0, -rest.length) : request.path;
  const { host } = request.headers;
  return { headers: forwarded(context), links: { prefix, hosts: [`${to.host}:${to.port}`, to.host, ...(typeof host === 'string' ? [host] : [])] } };
}

function forwarded({ request }: RequestContext): OutgoingHttpHeaders {
  const { host } = request.headers;
  return {
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': request.path,
    ...(typeof host === 'string' ? { 'x-forwarded-host': host } : {}),
    ...(request.remoteAddress ? { 'x-forwarded-for': request.remoteAddress } : {}),
  };
}
