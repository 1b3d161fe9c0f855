import { familyOf, type ServiceProxyNode } from '@coxswain/sdk';

export interface BaseTableOptions {
  readonly table: string;
  readonly node: Pick<ServiceProxyNode, 'clusterCIDRs' | 'nodePortAddresses'>;
  /** One bit of the packet mark, between translation and masquerading. */
  readonly masqueradeMark: number;
  readonly localhostNodePorts: boolean;
}

const elements = (list: readonly string[]) => (list.length > 0 ? ` elements = { ${list.join(', ')} }` : '');

/**
 * The part of the table that does not depend on Services: sets and maps, and the chains that look things up in them.
 * A packet costs a fixed number of lookups however many Services there are. Pure.
 */
export function baseTable(options: BaseTableOptions): string {
  const { node, masqueradeMark: mark } = options;
  const of = (list: readonly string[], family: 4 | 6) => list.filter((a) => familyOf(a) === family);
  const hex = (n: number) => `0x${(n >>> 0).toString(16)}`;
  const offCluster = ([4, 6] as const).flatMap((f) =>
    of(node.clusterCIDRs, f).length > 0
      ? [`    ${f === 4 ? 'ip' : 'ip6'} saddr != @cluster-cidrs${f} ${f === 4 ? 'ip' : 'ip6'} daddr @cluster-ips${f} jump mark-masquerade`]
      : [],
  );
  // Without a list every address of the host answers.
  const chosen = node.nodePortAddresses.length > 0;
  const onNode = (f: 4 | 6, ports: string) =>
    `    ${chosen ? `${f === 4 ? 'ip' : 'ip6'} daddr @node-port-ips${f}` : `meta nfproto ipv${f} fib daddr type local`} meta l4proto . th dport vmap @${ports}${f}`;
  return `table inet ${options.table} {
${([4, 6] as const)
  .map(
    (f) => `  set cluster-cidrs${f} { type ipv${f}_addr; flags interval; auto-merge;${elements(of(node.clusterCIDRs, f))} }
  set node-port-ips${f} { type ipv${f}_addr; flags interval; auto-merge;${elements(of(node.nodePortAddresses, f))} }
  set cluster-ips${f} { type ipv${f}_addr; }
  set hairpin${f} { type ipv${f}_addr . ipv${f}_addr; }
  map service-ips${f} { type ipv${f}_addr . inet_proto . inet_service : verdict; }
  map node-ports${f} { type inet_proto . inet_service : verdict; }
  map no-endpoints${f} { type ipv${f}_addr . inet_proto . inet_service : verdict; }
  map no-endpoint-node-ports${f} { type inet_proto . inet_service : verdict; }
  map firewall${f} { type ipv${f}_addr . inet_proto . inet_service : verdict; }
`,
  )
  .join('')}  chain mark-masquerade {
    meta mark set meta mark | ${hex(mark)}
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain services {
${offCluster.map((line) => `${line}\n`).join('')}    ip daddr . meta l4proto . th dport vmap @service-ips4
    ip6 daddr . meta l4proto . th dport vmap @service-ips6
${onNode(4, 'node-ports')}
${onNode(6, 'node-ports')}
  }
  chain unserved {
    ip daddr . meta l4proto . th dport vmap @no-endpoints4
    ip6 daddr . meta l4proto . th dport vmap @no-endpoints6
${onNode(4, 'no-endpoint-node-ports')}
${onNode(6, 'no-endpoint-node-ports')}
    ip daddr @cluster-ips4 goto refuse
    ip6 daddr @cluster-ips6 goto refuse
  }
  chain firewall {
    ip daddr . meta l4proto . th dport vmap @firewall4
    ip6 daddr . meta l4proto . th dport vmap @firewall6
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
${options.localhostNodePorts ? '    iifname != "lo" ip daddr 127.0.0.0/8 drop\n' : ''}  }
  chain firewall-prerouting {
    type filter hook prerouting priority dstnat - 10; policy accept;
    ct state new jump firewall
  }
  chain firewall-output {
    type filter hook output priority -110; policy accept;
    ct state new jump firewall
  }
  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    jump services
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    ct state new jump unserved
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    ct state new jump unserved
  }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    ct state new jump unserved
  }
  chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & ${hex(mark)} == ${hex(mark)} meta mark set meta mark & ${hex(~mark)} masquerade fully-random
    ct status dnat ip saddr . ip daddr @hairpin4 masquerade fully-random
    ct status dnat ip6 saddr . ip6 daddr @hairpin6 masquerade fully-random
  }
}
`;
}
