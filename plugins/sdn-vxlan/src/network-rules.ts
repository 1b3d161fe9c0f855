export interface NetworkRules {
  readonly podCIDR: string;
  /** All pods' addresses. */
  readonly clusterCIDRs: readonly string[];
  /** Where this node's end of the tunnel is; absent: there is none. */
  readonly tunnel?: { readonly address: string; readonly port: number };
}

/**
 * A table of its own: what the node's pods send to anybody but pods leaves under the node's address; multicast stays as it is.
 *
 * The tunnel's own packets are not tracked as connections. An answer comes from another port than the one that was asked, so each would stay a new
 * connection for ever, and every packet would be judged by all that services and policies do with new ones. What is inside is tracked.
 * Written whole, in one transaction. Pure.
 */
export function networkTable(table: string, { podCIDR, clusterCIDRs, tunnel }: NetworkRules): string {
  const untracked = tunnel
    ? `  chain tunnel-in {
    type filter hook prerouting priority raw; policy accept;
    ip daddr ${tunnel.address} udp dport ${tunnel.port} notrack
  }
  chain tunnel-out {
    type filter hook output priority raw; policy accept;
    ip saddr ${tunnel.address} udp dport ${tunnel.port} notrack
  }
`
    : '';
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
${untracked}  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr != ${podCIDR} return
    ip daddr { ${[...clusterCIDRs, '224.0.0.0/4'].join(', ')} } return
    masquerade
  }
}
`;
}
