import { familyOf, pickEndpoints, type ServiceEndpoint, type ServicePortSpec } from '@coxswain/sdk';
import { objectName } from './names.js';

/** An element of one of the table's shared sets and maps. */
export interface Element {
  readonly set: string;
  readonly key: string;
  /** Absent for sets. */
  readonly value?: string;
}

/** Everything of nftables that one Service port needs. */
export interface RenderedPort {
  /** Chains of its own, and their rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Sets of its own, and their definitions. */
  readonly sets: ReadonlyMap<string, string>;
  readonly elements: readonly Element[];
}

/** What rendering needs to know of the node. */
export interface RenderContext {
  readonly clusterCIDRs: readonly string[];
}

const address = (e: ServiceEndpoint) => (familyOf(e.ip) === 6 ? `[${e.ip}]:${e.port}` : `${e.ip}:${e.port}`);

/** Rules that send a new connection to one of the endpoints. */
function selection(endpoints: readonly ServiceEndpoint[], ip: 'ip' | 'ip6', protocol: string): string[] {
  const [only] = endpoints;
  if (endpoints.length === 1 && only) return [`meta l4proto ${protocol} dnat ${ip} to ${address(only)}`];
  const targets = endpoints.map((e, i) => `${i} : ${e.ip} . ${e.port}`).join(', ');
  return [`meta l4proto ${protocol} dnat ${ip} to numgen random mod ${endpoints.length} map { ${targets} }`];
}

/**
 * One Service port as chains, sets and elements. Pure; equal specs render to equal text.
 *
 * Chains: `svc` picks among all endpoints, `loc` among those of this node, `ext` is the way in from outside the cluster,
 * `fw` holds the source ranges of a load balancer, `ep` (with session affinity only) remembers the client of one endpoint.
 */
export function renderPort(spec: ServicePortSpec, context: RenderContext): RenderedPort {
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, string>();
  const elements: Element[] = [];
  const protocol = spec.protocol.toLowerCase();

  for (const family of [4, 6] as const) {
    const ip = family === 4 ? 'ip' : 'ip6';
    const mine = (addresses: readonly string[]) => addresses.filter((a) => familyOf(a) === family);
    const clusterIPs = mine(spec.clusterIPs);
    const loadBalancerIPs = mine(spec.loadBalancerIPs);
    const externalIPs = [...new Set([...mine(spec.externalIPs), ...loadBalancerIPs])];
    const hasClusterIP = clusterIPs.length > 0;
    // A node port exists in the families of the Service.
    const nodePort = hasClusterIP ? spec.nodePort : 0;
    if (!hasClusterIP && externalIPs.length === 0) continue;
    const { cluster, local } = pickEndpoints(spec, family);

    const select = (name: string, endpoints: readonly ServiceEndpoint[]): void => {
      if (spec.sessionAffinitySeconds === undefined) {
        chains.set(name, selection(endpoints, ip, protocol));
        return;
      }
      const targets = endpoints.map((e) => {
        const chain = objectName(`ep${family}`, spec.key, `${e.ip} ${e.port}`);
        const clients = objectName(`aff${family}`, spec.key, `${e.ip} ${e.port}`);
        sets.set(clients, `type ipv${family}_addr; flags dynamic,timeout; timeout ${spec.sessionAffinitySeconds}s;`);
        chains.set(chain, [`update @${clients} { ${ip} saddr }`, ...selection([e], ip, protocol)]);
        return { chain, clients };
      });
      chains.set(name, [
        ...targets.map((t) => `${ip} saddr @${t.clients} goto ${t.chain}`),
        targets.length === 1
          ? `goto ${targets[0]?.chain}`
          : `numgen random mod ${targets.length} vmap { ${targets.map((t, i) => `${i} : goto ${t.chain}`).join(', ')} }`,
      ]);
    };

    const svc = objectName(`svc${family}`, spec.key);
    const loc = objectName(`loc${family}`, spec.key);
    const needsLocal =
      (spec.internalTrafficPolicy === 'Local' && hasClusterIP) || (spec.externalTrafficPolicy === 'Local' && (externalIPs.length > 0 || nodePort > 0));
    const needsCluster = spec.internalTrafficPolicy === 'Cluster' || externalIPs.length > 0 || nodePort > 0;
    if (needsCluster && cluster.length > 0) select(svc, cluster);
    if (needsLocal && local.length > 0) select(loc, local);

    const inside = spec.internalTrafficPolicy === 'Local' ? local : cluster;
    for (const clusterIP of clusterIPs) {
      const key = `${clusterIP} . ${protocol} . ${spec.port}`;
      elements.push({ set: `cluster-ips${family}`, key: clusterIP });
      if (inside.length > 0) elements.push({ set: `service-ips${family}`, key, value: `goto ${inside === local ? loc : svc}` });
      // Endpoints elsewhere only: not refused, for that would say that nobody serves.
      else elements.push({ set: `no-endpoints${family}`, key, value: cluster.length > 0 ? 'drop' : 'goto refuse' });
    }

    if (externalIPs.length > 0 || nodePort > 0) {
      const ext = objectName(`ext${family}`, spec.key);
      if (cluster.length > 0) {
        const rules: string[] = [];
        if (spec.externalTrafficPolicy === 'Cluster') {
          rules.push('jump mark-masquerade', `goto ${svc}`);
        } else {
          // The cluster's own clients may use any endpoint; Local is about preserving the address of those outside.
          if (context.clusterCIDRs.some((c) => familyOf(c) === family)) rules.push(`${ip} saddr @cluster-cidrs${family} goto ${svc}`);
          rules.push('fib saddr type local jump mark-masquerade', `fib saddr type local goto ${svc}`, local.length > 0 ? `goto ${loc}` : 'drop');
        }
        chains.set(ext, rules);
      }
      for (const external of externalIPs) {
        const key = `${external} . ${protocol} . ${spec.port}`;
        elements.push(
          cluster.length > 0 ? { set: `service-ips${family}`, key, value: `goto ${ext}` } : { set: `no-endpoints${family}`, key, value: 'goto refuse' },
        );
      }
      if (nodePort > 0) {
        const key = `${protocol} . ${nodePort}`;
        elements.push(
          cluster.length > 0
            ? { set: `node-ports${family}`, key, value: `goto ${ext}` }
            : { set: `no-endpoint-node-ports${family}`, key, value: 'goto refuse' },
        );
      }
    }

    const ranges = mine(spec.loadBalancerSourceRanges);
    if (spec.loadBalancerSourceRanges.length > 0 && loadBalancerIPs.length > 0) {
      const fw = objectName(`fw${family}`, spec.key);
      chains.set(fw, [...(ranges.length > 0 ? [`${ip} saddr { ${[...ranges].sort().join(', ')} } return`] : []), 'drop']);
      for (const lb of loadBalancerIPs) elements.push({ set: `firewall${family}`, key: `${lb} . ${protocol} . ${spec.port}`, value: `goto ${fw}` });
    }

    for (const e of new Set([...cluster, ...local])) if (e.local) elements.push({ set: `hairpin${family}`, key: `${e.ip} . ${e.ip}` });
  }
  return { chains, sets, elements };
}
