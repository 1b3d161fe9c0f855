/**
 * A table of its own: what the node's pods send to anybody but pods leaves under the node's address; multicast stays as it is. Written
 * whole, in one transaction. Pure.
 */
export function masqueradeTable(table: string, podCIDR: string, clusterCIDRs: readonly string[]): string {
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr != ${podCIDR} return
    ip daddr { ${[...clusterCIDRs, '224.0.0.0/4'].join(', ')} } return
    masquerade
  }
}
`;
}
