import type { EndpointSlice, Service } from '@coxswain/api';
import type { ServiceEndpoint, ServicePortSpec, ServiceProtocol } from '@coxswain/sdk';

/** Services with this label are somebody else's to carry. */
export const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
/** Names the Service an EndpointSlice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

const DEFAULT_AFFINITY_SECONDS = 10_800;

const protocolOf = (text: string | undefined): ServiceProtocol => (text === 'UDP' || text === 'SCTP' ? text : 'TCP');

/** Whether the Service has addresses that a proxy carries: not headless, not a DNS alias, not claimed by another proxy. */
export function isProxied(service: Service): boolean {
  const { spec, metadata } = service;
  if (!spec || spec.type === 'ExternalName' || metadata.labels?.[PROXY_NAME_LABEL] !== undefined) return false;
  return spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None';
}

/** The node a proxy works on. */
export interface ProxyNode {
  readonly name: string;
  /** Its label `topology.kubernetes.io/zone`. */
  readonly zone?: string;
}

type HintedEndpoint = ServiceEndpoint & { readonly forNodes: readonly string[]; readonly forZones: readonly string[] };

/** The endpoints of one port, from all slices of its Service. */
function endpointsOf(name: string, protocol: ServiceProtocol, slices: readonly EndpointSlice[], node: ProxyNode): ServiceEndpoint[] {
  const out: HintedEndpoint[] = [];
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4' && slice.addressType !== 'IPv6') continue;
    const port = slice.ports?.find((p) => (p.name ?? '') === name && protocolOf(p.protocol) === protocol)?.port;
    // A port without a number means "all ports", which a proxy cannot carry; the API takes any number, rules only those of ports.
    if (port === undefined || port < 1 || port > 65_535) continue;
    for (const endpoint of slice.endpoints ?? []) {
      // Addresses of one endpoint are interchangeable; the first is used (discovery/v1).
      const ip = endpoint.addresses[0];
      if (ip === undefined) continue;
      // Absent conditions mean: ready, serving as it is ready, and not terminating.
      const ready = endpoint.conditions?.ready ?? true;
      out.push({
        ip,
        port,
        local: endpoint.nodeName === node.name,
        ready,
        serving: endpoint.conditions?.serving ?? ready,
        terminating: endpoint.conditions?.terminating ?? false,
        forNodes: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
        forZones: (endpoint.hints?.forZones ?? []).map((hint) => hint.name),
      });
    }
  }
  return hintedFor(node, out)
    .map(({ forNodes: _nodes, forZones: _zones, ...endpoint }) => endpoint)
    .sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1));
}

/**
 * Endpoints that say which nodes they are for (traffic distribution `PreferSameNode`) serve those nodes, and those that say which zones
 * (`PreferSameZone`) those zones. As upstream: only when all that are ready say so, and at least one is for this node, or zone; else all
 * serve.
 */
function hintedFor({ name, zone }: ProxyNode, endpoints: readonly HintedEndpoint[]): readonly HintedEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  for (const [hint, here] of [
    ['forNodes', name],
    ['forZones', zone],
  ] as const) {
    if (here !== undefined && ready.every((e) => e[hint].length > 0) && ready.some((e) => e[hint].includes(here)))
      return endpoints.filter((e) => e[hint].includes(here));
  }
  return endpoints;
}

/** What the proxy of a node needs to know of a Service: one spec a port. Pure. */
export function servicePorts(service: Service, slices: readonly EndpointSlice[], node: ProxyNode): ServicePortSpec[] {
  if (!isProxied(service)) return [];
  const { metadata } = service;
  const spec = service.spec ?? {};
  const sorted = [...slices].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const loadBalancerIPs = spec.type === 'LoadBalancer' ? ingress.flatMap((i) => (i.ip && i.ipMode !== 'Proxy' ? [i.ip] : [])) : [];
  return (spec.ports ?? []).map((port) => {
    const name = port.name ?? '';
    const protocol = protocolOf(port.protocol);
    return {
      key: `${metadata.namespace}/${metadata.name}:${name}`,
      protocol,
      port: port.port,
      clusterIPs: spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP as string],
      externalIPs: spec.externalIPs ?? [],
      loadBalancerIPs,
      loadBalancerSourceRanges: spec.type === 'LoadBalancer' ? (spec.loadBalancerSourceRanges ?? []).map((r) => r.trim()) : [],
      nodePort: spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? (port.nodePort ?? 0) : 0,
      internalTrafficPolicy: spec.internalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      externalTrafficPolicy: spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      endpoints: endpointsOf(name, protocol, sorted, node),
      ...(spec.sessionAffinity === 'ClientIP'
        ? { sessionAffinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS }
        : {}),
    };
  });
}
