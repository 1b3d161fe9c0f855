import { isIP } from 'node:net';
import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
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

interface Target {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port` or `scheme:name:port`. */
export function parseProxyTarget(text: string): Target | undefined {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: 'http', name: text, port: '' };
  if (parts.length === 2) return { scheme: 'http', name: parts[0] as string, port: parts[1] as string };
  if (parts.length !== 3 || (parts[0] !== 'http' && parts[0] !== 'https' && parts[0] !== '')) return undefined;
  return { scheme: parts[0] === 'https' ? 'https' : 'http', name: parts[1] as string, port: parts[2] as string };
}

/** nodes/{name}/proxy/…: the kubelet's own API. */
export function nodeProxyAction(env: ActionEnv, kubelets: KubeletLocator): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context);
    await connect(env, context, served, 'proxy', 'NodeProxyOptions');
    const kubelet = kubelets.locate(target.name, pathOf(context), target.port === '' ? undefined : Number(target.port));
    return slashRedirect(context) ?? passThrough(context.request, kubelet, proxied(context, kubelet));
  };
}

/** pods/{name}/proxy/…: straight to the pod's address. */
export function podProxyAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context);
    const { namespace } = context.resource;
    const pod = served.storage?.cache.get(namespace, target.name)?.object;
    if (!pod) throw ApiError.notFound(served.groupResource, target.name);
    await connect(env, context, served, 'proxy', 'PodProxyOptions');
    const ip = pod.status?.podIP as string | undefined;
    if (!ip) throw ApiError.badRequest('address not allowed');
    const port = target.port === '' ? firstPort(pod) : Number(target.port);
    const to = backend(target, ip, port, context);
    return slashRedirect(context) ?? passThrough(context.request, to, proxied(context, to));
  };
}

/** services/{name}/proxy/…: to one of the ready endpoints. */
export function serviceProxyAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const target = targetOf(context);
    const { namespace } = context.resource;
    const service = served.storage?.cache.get(namespace, target.name)?.object;
    if (!service) throw ApiError.notFound(served.groupResource, target.name);
    await connect(env, context, served, 'proxy', 'ServiceProxyOptions');
    const endpoints = readyEndpoints(env, service, target.port);
    const chosen = endpoints[env.rest.random.int(Math.max(1, endpoints.length))];
    if (!chosen) throw ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(target.name)}`);
    const to = backend(target, chosen.ip, chosen.port, context);
    return slashRedirect(context) ?? passThrough(context.request, to, proxied(context, to));
  };
}

function readyEndpoints(env: ActionEnv, service: KubeObject, wanted: string): { ip: string; port: number }[] {
  const ports = (service.spec?.ports ?? []) as { name?: string; port: number }[];
  // Without a port the only one is meant; a number stands for the port of that number.
  const port = wanted === '' ? ports[0] : ports.find((candidate) => candidate.name === wanted || String(candidate.port) === wanted);
  if (!port) throw ApiError.serviceUnavailable(`no service port ${JSON.stringify(wanted)} found for service ${JSON.stringify(service.metadata.name)}`);
  const slices = env.rest.registry.storage('discovery.k8s.io', 'endpointslices').cache.inNamespace(service.metadata.namespace ?? '');
  const out: { ip: string; port: number }[] = [];
  for (const { object: slice } of slices) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service.metadata.name) continue;
    const number = ((slice.ports ?? []) as { name?: string; port?: number }[]).find((candidate) => (candidate.name ?? '') === (port.name ?? ''))?.port;
    if (number === undefined) continue;
    for (const endpoint of (slice.endpoints ?? []) as { addresses: string[]; conditions?: { ready?: boolean } }[]) {
      if (endpoint.conditions?.ready === false || !endpoint.addresses[0]) continue;
      out.push({ ip: endpoint.addresses[0], port: number });
    }
  }
  return out;
}

function targetOf(context: RequestContext): Target {
  const target = parseProxyTarget(context.resource.name);
  if (!target) throw ApiError.badRequest(`invalid proxy target ${JSON.stringify(context.resource.name)}`);
  return target;
}

function backend({ scheme }: Target, ip: string, port: number, context: RequestContext): Backend {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw ApiError.badRequest(`invalid port ${port}`);
  // Never to ourselves or to link-local addresses, whatever a pod's status says.
  if (isIP(ip) === 0 || ip.startsWith('127.') || ip.startsWith('169.254.') || ip === '::1' || ip.toLowerCase().startsWith('fe80:'))
    throw ApiError.badRequest('address not allowed');
  return { scheme, host: ip, port, path: pathOf(context), ...(scheme === 'https' ? { tls: { rejectUnauthorized: false } } : {}) };
}

function firstPort(pod: KubeObject): number {
  for (const container of (pod.spec?.containers ?? []) as { ports?: { containerPort: number }[] }[]) {
    if (container.ports?.[0]) return container.ports[0].containerPort;
  }
  return 80;
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
