import type { EndpointHints, Pod, Service, ServicePort } from '@coxswain/api';
import { isFinished, isReady } from '../pods/pod-state.js';

export const familyOf = (ip: string): 'IPv4' | 'IPv6' => (ip.includes(':') ? 'IPv6' : 'IPv4');

/** The pod's address of one family. */
export function podAddress(pod: Pod, family: 'IPv4' | 'IPv6'): string | undefined {
  const ips = pod.status?.podIPs?.map((p) => p.ip) ?? [];
  return [...ips, pod.status?.podIP].find((ip): ip is string => Boolean(ip) && familyOf(ip as string) === family);
}

/** The number a service port has on the pod; undefined when it names a port the pod does not have. */
export function targetPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const protocol = port.protocol ?? 'TCP';
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  for (const c of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const p of c.ports ?? []) if (p.name === target && (p.protocol ?? 'TCP') === protocol) return p.containerPort;
  }
  return undefined;
}

/** Families the service wants endpoints for; headless services without a selector of families get both. */
export function serviceFamilies(service: Service): ('IPv4' | 'IPv6')[] {
  const families = service.spec?.ipFamilies as ('IPv4' | 'IPv6')[] | undefined;
  if (families && families.length > 0) return families;
  const ip = service.spec?.clusterIP;
  return ip && ip !== 'None' ? [familyOf(ip)] : ['IPv4'];
}

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None';

/** Whether the pod takes the service's traffic, could if it had to, and is on its way out. */
export function endpointConditions(pod: Pod, service: Service): { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean } {
  const serving = isReady(pod);
  const terminating = Boolean(pod.metadata.deletionTimestamp);
  return { ready: Boolean(service.spec?.publishNotReadyAddresses) || (serving && !terminating), serving, terminating };
}

/** Whom an endpoint is for, by its service's traffic distribution. Zones are told with nodes, too: for proxies that know zones only. */
export function endpointHints(distribution: string | undefined, nodeName: string | undefined, zone: string | undefined): EndpointHints | undefined {
  const forZones = zone ? { forZones: [{ name: zone }] } : {};
  switch (distribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return zone ? forZones : undefined;
    case 'PreferSameNode':
      return nodeName ? { ...forZones, forNodes: [{ name: nodeName }] } : undefined;
    default:
      return undefined;
  }
}

/** Whether the pod is an endpoint at all. */
export const isEndpoint = (pod: Pod): boolean => !isFinished(pod) && Boolean(pod.status?.podIP ?? pod.status?.podIPs?.[0]);

/** The pod's DNS name below the service, where it asked for one. */
export const endpointHostname = (pod: Pod, service: Service): string | undefined =>
  pod.spec?.hostname && pod.spec.subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace ? pod.spec.hostname : undefined;
