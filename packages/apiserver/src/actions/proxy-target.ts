import type { KubeObject } from '@coxswain/api';
import { ApiError, isGlobalUnicast } from '@coxswain/apimachinery';
import type { ResourceRegistry } from '../registry/resource-registry.js';

/** What the name in `…/NAME/proxy` says. */
export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

const SCHEMES: Readonly<Record<string, ProxyTarget['scheme']>> = { '': 'http', http: 'http', https: 'https' };

/** `name`, `name:port` or `scheme:name:port`. */
export function parseProxyTarget(text: string): ProxyTarget | undefined {
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length < 3 ? ['', ...parts] : parts;
  const known = SCHEMES[scheme];
  return parts.length > 3 || name === '' || !known ? undefined : { scheme: known, name, port };
}

interface Slice {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean };
        readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
      }[]
    | null;
}

/**
 * The ready endpoints behind one port: a number is that of the service's port, a word its name; nothing is the port without a name.
 * Only pods of the namespace count, or whoever may write slices could send us anywhere.
 */
export function serviceEndpoints(registry: ResourceRegistry, service: KubeObject, wanted: string): { ip: string; port: number }[] {
  const { name, namespace = '' } = service.metadata;
  const portName = /^\d+$/.test(wanted) ? nameOfPort(service, Number(wanted)) : wanted;
  const pods = registry.storage('', 'pods').cache;
  const out: { ip: string; port: number }[] = [];
  for (const { object } of registry.storage('discovery.k8s.io', 'endpointslices').cache.inNamespace(namespace)) {
    if (object.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const { ports, endpoints } = object as Slice;
    const port = ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    if (port === undefined || port < 1 || port > 65_535) continue;
    for (const { addresses, conditions, targetRef } of endpoints ?? []) {
      const [ip] = addresses;
      if (conditions?.ready === false || !ip || !isGlobalUnicast(ip) || targetRef?.namespace !== namespace) continue;
      const pod = pods.get(namespace, targetRef.name ?? '')?.object;
      const ips = (pod?.status?.podIPs ?? []) as { ip: string }[];
      if (ips.some((own) => own.ip === ip)) out.push({ ip, port });
    }
  }
  return out;
}

function nameOfPort({ metadata, spec }: KubeObject, number: number): string {
  const port = ((spec?.ports ?? []) as { name?: string; port: number }[]).find((candidate) => candidate.port === number);
  if (!port) throw ApiError.serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(metadata.name)}`);
  return port.name ?? '';
}
