import { networkAddress, overlap, within } from './cidr.js';
import type { NodeFacts } from './facts.js';

/** `direct`: by routes, for nodes of one link; `vxlan`: in a tunnel; `auto`: by routes where nodes share a link, else in a tunnel. */
export const modes = ['auto', 'vxlan', 'direct'] as const;
export type Mode = (typeof modes)[number];

/** Outer Ethernet, IPv4, UDP and VXLAN headers: 14 + 20 + 8 + 8. */
export const VXLAN_OVERHEAD = 50;

/** The link that carries the node's own address. */
export interface Underlay {
  readonly linkIndex: number;
  readonly address: string;
  readonly prefix: number;
  readonly mtu: number;
}

/** How packets get to the pods of another node. */
export type Path =
  | { readonly kind: 'direct'; readonly podCIDR: string; readonly gateway: string }
  | {
      readonly kind: 'tunnel';
      readonly podCIDR: string;
      /** The far end of the tunnel, as an address of its network that no pod has. */
      readonly gateway: string;
      readonly mac: string;
      /** Where the outer packets go. */
      readonly remote: string;
    };

export interface Plan {
  readonly paths: readonly Path[];
  /** Nodes whose pods cannot be reached, and why. One that is only about to introduce itself is in neither list. */
  readonly unreachable: readonly { readonly node: string; readonly reason: string }[];
}

/**
 * The MTU of pods: that of the link, less the tunnel's headers unless no packet ever takes the tunnel. In `auto` a node in another
 * network may join at any time, and the MTU of running pods cannot change.
 */
export function podMtu(mode: Mode, underlay: Pick<Underlay, 'mtu'>): number {
  return mode === 'direct' ? underlay.mtu : underlay.mtu - VXLAN_OVERHEAD;
}

/** Paths from one node to all others. Pure. */
export function planPaths(self: NodeFacts & { readonly podCIDR: string }, nodes: readonly NodeFacts[], mode: Mode, underlay: Underlay): Plan {
  const paths: Path[] = [];
  const unreachable: { node: string; reason: string }[] = [];
  const taken: { readonly node: string; readonly podCIDR: string }[] = [{ node: self.name, podCIDR: self.podCIDR }];
  const link = `${underlay.address}/${underlay.prefix}`;
  for (const { name, address, podCIDR, mac } of [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name === self.name || podCIDR === undefined || address === undefined) continue;
    const other = taken.find((each) => overlap(each.podCIDR, podCIDR));
    if (other) {
      unreachable.push({ node: name, reason: `its podCIDR ${podCIDR} overlaps ${other.podCIDR} of node ${other.node}` });
      continue;
    }
    taken.push({ node: name, podCIDR });
    const shared = within(address, link);
    if (mode !== 'vxlan' && shared) paths.push({ kind: 'direct', podCIDR, gateway: address });
    else if (mode === 'direct')
      unreachable.push({ node: name, reason: `its address ${address} is not on this node's link ${link}; mode auto or vxlan would reach it` });
    else if (mac !== undefined) paths.push({ kind: 'tunnel', podCIDR, gateway: networkAddress(podCIDR), mac, remote: address });
  }
  return { paths, unreachable };
}
