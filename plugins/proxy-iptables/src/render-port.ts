import { familyOf, pickEndpoints, type ServiceEndpoint, type ServicePortSpec } from '@coxswain/sdk';
import { type ChainNames, portName } from './names.js';

export type TableName = 'nat' | 'filter';

/** A rule in one of the chains that all Services share. */
export interface SharedRule {
  readonly table: TableName;
  readonly chain: string;
  /** Without `-A CHAIN`. */
  readonly rule: string;
}

/** Everything of iptables that one Service port needs, in one family. */
export interface RenderedPort {
  /** Chains of its own, in the nat table, and their rules without `-A CHAIN`. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly shared: readonly SharedRule[];
}

/** What rendering needs to know of the node. */
export interface RenderContext {
  readonly names: ChainNames;
  readonly clusterCIDRs: readonly string[];
}

const destination = (e: ServiceEndpoint) => (familyOf(e.ip) === 6 ? `[${e.ip}]:${e.port}` : `${e.ip}:${e.port}`);
const comment = (text: string) => `-m comment --comment "${text}"`;

/** Of `left` endpoints not yet tried the next one gets its share. Ten digits, so that rules are as iptables prints them. */
const share = (left: number) => `-m statistic --mode random --probability ${(1 / left).toFixed(10)}`;

/** One Service port as chains and rules of one family. Pure; equal specs render to equal text. */
export function renderPort(spec: ServicePortSpec, family: 4 | 6, context: RenderContext): RenderedPort {
  const { names } = context;
  const chains = new Map<string, readonly string[]>();
  const shared = new Map<string, SharedRule>();
  const share1 = (table: TableName, chain: string, rule: string) => shared.set(`${table} ${chain} ${rule}`, { table, chain, rule });
  const protocol = spec.protocol.toLowerCase();
  const name = portName(spec.key);
  const mine = (addresses: readonly string[]) => [...new Set(addresses.filter((a) => familyOf(a) === family))];
  const bits = family === 4 ? 32 : 128;
  const to = (ip: string, port = spec.port) => `-d ${ip}/${bits} -p ${protocol} -m ${protocol} --dport ${port}`;

  const clusterIPs = mine(spec.clusterIPs);
  const externalIPs = mine(spec.externalIPs);
  const loadBalancerIPs = mine(spec.loadBalancerIPs);
  // A node port exists in the families of the Service.
  const nodePort = clusterIPs.length > 0 ? spec.nodePort : 0;
  const external = externalIPs.length + loadBalancerIPs.length > 0 || nodePort > 0;
  if (clusterIPs.length === 0 && !external) return { chains, shared: [] };
  const { cluster, local } = pickEndpoints(spec, family);
  const chain = (kind: 'SVC' | 'SVL' | 'EXT' | 'FW') => names.port(kind, spec.key, protocol);
  const markMasquerade = names.fixed('KUBE-MARK-MASQ');
  const outside = mine(context.clusterCIDRs).length > 0;

  const endpointChain = (e: ServiceEndpoint): string => {
    const sep = names.port('SEP', spec.key, protocol, destination(e));
    const remember = spec.sessionAffinitySeconds === undefined ? '' : ` -m recent --set --name ${sep}`;
    chains.set(sep, [
      `-s ${e.ip}/${bits} ${comment(name)} -j ${markMasquerade}`,
      `-p ${protocol} ${comment(name)}${remember} -m ${protocol} -j DNAT --to-destination ${destination(e)}`,
    ]);
    return sep;
  };
  const select = (kind: 'SVC' | 'SVL', endpoints: readonly ServiceEndpoint[], first: readonly string[] = []): void => {
    const targets = endpoints.map((e) => ({ sep: endpointChain(e), text: comment(`${name} -> ${destination(e)}`) }));
    const affinity = spec.sessionAffinitySeconds;
    chains.set(chain(kind), [
      ...first,
      ...(affinity === undefined ? [] : targets.map(({ sep, text }) => `${text} -m recent --rcheck --seconds ${affinity} --reap --name ${sep} -j ${sep}`)),
      ...targets.map(({ sep, text }, i) => {
        const left = targets.length - i;
        return `${text} ${left > 1 ? `${share(left)} ` : ''}-j ${sep}`;
      }),
    ]);
  };

  const inside = spec.internalTrafficPolicy === 'Local' ? local : cluster;
  const needsCluster = (spec.internalTrafficPolicy === 'Cluster' && clusterIPs.length > 0) || external;
  const needsLocal = (spec.internalTrafficPolicy === 'Local' && clusterIPs.length > 0) || (spec.externalTrafficPolicy === 'Local' && external);
  const masquerade = outside ? clusterIPs.map((ip) => `${to(ip)} ${comment(`${name} cluster IP`)} -j ${names.fixed('KUBE-MASQ-OUTSIDE')}`) : [];
  if (needsCluster && cluster.length > 0) select('SVC', cluster, spec.internalTrafficPolicy === 'Cluster' ? masquerade : []);
  if (needsLocal && local.length > 0) select('SVL', local, spec.internalTrafficPolicy === 'Local' ? masquerade : []);

  for (const ip of clusterIPs) {
    const services = names.fixed('KUBE-SERVICES');
    if (inside.length > 0) share1('nat', services, `${to(ip)} ${comment(`${name} cluster IP`)} -j ${chain(inside === local ? 'SVL' : 'SVC')}`);
    else if (cluster.length > 0) share1('filter', services, `${to(ip)} ${comment(`${name} has no local endpoints`)} -j DROP`);
    else share1('filter', services, `${to(ip)} ${comment(`${name} has no endpoints`)} -j REJECT`);
  }

  if (external && cluster.length > 0) {
    const fromInside = mine(context.clusterCIDRs).map((cidr) => `-s ${cidr} ${comment(`pod traffic for ${name} external destinations`)} -j ${chain('SVC')}`);
    chains.set(
      chain('EXT'),
      spec.externalTrafficPolicy === 'Cluster'
        ? [`${comment(`masquerade traffic for ${name} external destinations`)} -j ${markMasquerade}`, `-j ${chain('SVC')}`]
        : [
            // The cluster's own clients may use any endpoint; Local is about preserving the address of those outside.
            ...fromInside,
            `${comment(`masquerade LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j ${markMasquerade}`,
            `${comment(`route LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j ${chain('SVC')}`,
            ...(local.length > 0 ? [`-j ${chain('SVL')}`] : []),
          ],
    );
  }

  // Packets that got no endpoint arrive here with the address they were sent to.
  const unserved = cluster.length === 0 ? 'REJECT' : spec.externalTrafficPolicy === 'Local' && local.length === 0 ? 'DROP' : undefined;
  const why = unserved === 'REJECT' ? `${name} has no endpoints` : `${name} has no local endpoints`;
  const from = (ip: string, kind: string, target: string) => {
    if (cluster.length > 0) share1('nat', names.fixed('KUBE-SERVICES'), `${to(ip)} ${comment(`${name} ${kind} IP`)} -j ${target}`);
    if (unserved) share1('filter', names.fixed('KUBE-EXTERNAL-SERVICES'), `${to(ip)} ${comment(why)} -j ${unserved}`);
  };
  for (const ip of externalIPs) from(ip, 'external', chain('EXT'));
  const ranged = spec.loadBalancerSourceRanges.length > 0;
  for (const ip of loadBalancerIPs.filter((lb) => !externalIPs.includes(lb))) {
    from(ip, 'loadbalancer', ranged ? chain('FW') : chain('EXT'));
    if (!ranged) continue;
    const ranges = mine(spec.loadBalancerSourceRanges).sort();
    if (cluster.length > 0)
      chains.set(
        chain('FW'),
        ranges.map((range) => `-s ${range} ${comment(`${name} loadbalancer IP`)} -j ${chain('EXT')}`),
      );
    // Who is in no range was not translated.
    share1('filter', names.fixed('KUBE-PROXY-FIREWALL'), `${to(ip)} ${comment(`${name} traffic not accepted by ${chain('FW')}`)} -j DROP`);
  }
  if (nodePort > 0) {
    const rule = `-p ${protocol} ${comment(name)} -m ${protocol} --dport ${nodePort}`;
    if (cluster.length > 0) share1('nat', names.fixed('KUBE-NODEPORTS'), `${rule} -j ${chain('EXT')}`);
    if (unserved) {
      share1(
        'filter',
        names.fixed('KUBE-EXTERNAL-SERVICES'),
        `-p ${protocol} ${comment(why)} -m addrtype --dst-type LOCAL -m ${protocol} --dport ${nodePort} -j ${unserved}`,
      );
    }
  }
  return { chains, shared: [...shared.values()] };
}
