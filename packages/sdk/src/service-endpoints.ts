import type { ServiceEndpoint, ServicePortSpec } from './service-proxy.js';

/** IPv4 or IPv6 by an address or CIDR. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** Where the traffic of one port goes, in one family. */
export interface PickedEndpoints {
  /** For the policy Cluster. */
  readonly cluster: readonly ServiceEndpoint[];
  /** For the policy Local. */
  readonly local: readonly ServiceEndpoint[];
}

/** Ready ones; when there is none, those that still serve while they end (KEP-1669), so that the last of a rollout loses nothing. */
function usable(endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
  const ready = endpoints.filter((e) => e.ready);
  return ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
}

/** The endpoints that a `ServiceProxy` sends traffic to. Pure. In a stable order, each address and port once: equal content renders to equal rules. */
export function pickEndpoints(spec: ServicePortSpec, family: 4 | 6): PickedEndpoints {
  const seen = new Map<string, ServiceEndpoint>();
  for (const e of spec.endpoints) {
    if (familyOf(e.ip) !== family) continue;
    const id = `${e.ip} ${e.port}`;
    // Of two slices that overlap the better news counts.
    if (!seen.get(id)?.ready) seen.set(id, e);
  }
  const all = [...seen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, e]) => e);
  return { cluster: usable(all), local: usable(all.filter((e) => e.local)) };
}
