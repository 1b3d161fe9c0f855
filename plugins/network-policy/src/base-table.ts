/** Sets and maps that the policy table is born with. */
export const BASE_SETS = ['ingress4', 'ingress6', 'egress4', 'egress6', 'self4', 'self6'] as const;

/** Neighbour discovery keeps IPv6 itself going, and crosses a bridge like any packet. */
const NEIGHBOURS = 'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }';

/**
 * The policy table without any policy. Pods that policies isolate are in `egress` and `ingress` by address, with the chain that
 * judges them; a packet of anybody else costs two look-ups.
 *
 * Two chains on one hook, because "accept" ends a chain: a packet from one pod of the node to another must be let through by both.
 * The forward hook sees addresses after a Service's translation and before masquerading. Packets from and to the node itself do
 * not pass it: kubelets probe pods whatever policies say. Pure.
 */
export function policyTable(table: string): string {
  const start = `    ct state established,related accept
    ${NEIGHBOURS} accept
    ip saddr . ip daddr @self4 accept
    ip6 saddr . ip6 daddr @self6 accept
`;
  return `table inet ${table} {
  map egress4 { type ipv4_addr : verdict; }
  map egress6 { type ipv6_addr : verdict; }
  map ingress4 { type ipv4_addr : verdict; }
  map ingress6 { type ipv6_addr : verdict; }
  set self4 { type ipv4_addr . ipv4_addr; }
  set self6 { type ipv6_addr . ipv6_addr; }
  chain egress {
    type filter hook forward priority filter - 10; policy accept;
${start}    ip saddr vmap @egress4
    ip6 saddr vmap @egress6
  }
  chain ingress {
    type filter hook forward priority filter - 9; policy accept;
${start}    ip daddr vmap @ingress4
    ip6 daddr vmap @ingress6
  }
}
`;
}

export const GUARD_SETS = ['isolated4', 'isolated6'] as const;

/**
 * For bridges whose packets pass none of the host's rules: pods there reach each other by way of the host (cni-bridge sees to it), where
 * policies are. What an isolated pod sends or gets past the host, over the bridge alone, has not been judged, and is dropped. Pure.
 */
export function guardTable(table: string): string {
  return `table bridge ${table} {
  set isolated4 { type ipv4_addr; }
  set isolated6 { type ipv6_addr; }
  chain guard {
    type filter hook forward priority filter; policy accept;
    ip saddr @isolated4 drop
    ip daddr @isolated4 drop
    ${NEIGHBOURS} accept
    ip6 saddr @isolated6 drop
    ip6 daddr @isolated6 drop
  }
}
`;
}
