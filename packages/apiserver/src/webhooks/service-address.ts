import type { KubeObject } from '@coxswain/api';
import type { Random } from '@coxswain/sdk';
import type { ResourceRegistry } from '../registry/resource-registry.js';

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Where a service can be reached from here: one of its ready endpoints, as this host may have no proxy; its cluster IP when there is
 * none. Throws with upstream's words.
 */
export function serviceAddress(registry: ResourceRegistry, random: Random, namespace: string, name: string, port: number): ServiceAddress {
  const service = registry.storage('', 'services').cache.get(namespace, name)?.object;
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`);
  if (service.spec?.type === 'ExternalName') return { host: service.spec.externalName as string, port };
  const ports = (service.spec?.ports ?? []) as { name?: string; port: number }[];
  const wanted = ports.find((each) => each.port === port);
  if (!wanted) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const endpoints = readyEndpoints(registry, service, wanted.name ?? '');
  const chosen = endpoints[random.int(Math.max(1, endpoints.length))];
  if (chosen) return chosen;
  const clusterIP = service.spec?.clusterIP as string | undefined;
  const manual = service.spec?.selector === undefined && clusterIP && clusterIP !== 'None';
  if (manual) return { host: clusterIP, port };
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
}

/** Ready endpoints of the port of that name. */
export function readyEndpoints(registry: ResourceRegistry, { metadata }: KubeObject, portName: string): ServiceAddress[] {
  const out: ServiceAddress[] = [];
  for (const { object: slice } of registry.storage('discovery.k8s.io', 'endpointslices').cache.inNamespace(metadata.namespace ?? '')) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== metadata.name) continue;
    const number = ((slice.ports ?? []) as { name?: string; port?: number }[]).find((each) => (each.name ?? '') === portName)?.port;
    if (number === undefined) continue;
    for (const { addresses, conditions } of (slice.endpoints ?? []) as { addresses: string[]; conditions?: { ready?: boolean } }[]) {
      if (conditions?.ready !== false && addresses[0]) out.push({ host: addresses[0], port: number });
    }
  }
  return out;
}
