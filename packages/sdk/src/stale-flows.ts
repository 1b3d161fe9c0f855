import { familyOf, pickEndpoints } from './service-endpoints.js';
import type { ServicePortSpec } from './service-proxy.js';

/** Flows of connection tracking: all that match every given field. */
export interface StaleFlow {
  readonly protocol: 'udp';
  readonly family: 4 | 6;
  /** The address the client asked for. */
  readonly originalDestination?: string;
  readonly originalPort?: number;
  /** The endpoint it was sent to. */
  readonly replySource?: string;
}

/**
 * Flows to be forgotten when a UDP port changes. A UDP client keeps one flow for as long as it talks, so it would go on
 * to an endpoint that is gone, or, begun before there was any endpoint, stay untranslated. TCP ends by itself. Pure.
 */
export function staleFlows(before: ServicePortSpec | undefined, after: ServicePortSpec | undefined): StaleFlow[] {
  const spec = before ?? after;
  if (spec?.protocol !== 'UDP') return [];
  const out: StaleFlow[] = [];
  for (const family of [4, 6] as const) {
    const ips = (s: ServicePortSpec | undefined) =>
      s ? new Set([...pickEndpoints(s, family).cluster, ...pickEndpoints(s, family).local].map((e) => e.ip)) : new Set<string>();
    const old = ips(before);
    const now = ips(after);
    const targets = new Map<string, StaleFlow>();
    for (const s of [before, after]) {
      if (!s) continue;
      for (const ip of [...s.clusterIPs, ...s.externalIPs, ...s.loadBalancerIPs]) {
        if (familyOf(ip) === family) targets.set(`${ip} ${s.port}`, { protocol: 'udp', family, originalDestination: ip, originalPort: s.port });
      }
      if (s.nodePort > 0) targets.set(`node ${s.nodePort}`, { protocol: 'udp', family, originalPort: s.nodePort });
    }
    if (old.size === 0 && now.size > 0) out.push(...targets.values());
    for (const gone of [...old].filter((ip) => !now.has(ip))) out.push(...[...targets.values()].map((t) => ({ ...t, replySource: gone })));
  }
  return out;
}
