import type { Node } from '@coxswain/api';

/** On a Node: the hardware address of its tunnel's end. Whoever reaches the node's pods through the tunnel needs it. */
export const VTEP_MAC_ANNOTATION = 'sdn.coxswain.dev/vtep-mac';

/** What the pod network needs to know of a node. All of it is on the Node object. */
export interface NodeFacts {
  readonly name: string;
  /** IPv4. */
  readonly address?: string;
  readonly podCIDR?: string;
  readonly mac?: string;
}

export function nodeFacts(node: Node): NodeFacts {
  const address = node.status?.addresses?.find((a) => a.type === 'InternalIP' && !a.address.includes(':'))?.address;
  const podCIDR = (node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? '']).find((cidr) => cidr !== '' && !cidr.includes(':'));
  const mac = node.metadata.annotations?.[VTEP_MAC_ANNOTATION]?.toLowerCase();
  return {
    name: node.metadata.name ?? '',
    ...(address === undefined ? {} : { address }),
    ...(podCIDR === undefined ? {} : { podCIDR }),
    ...(mac !== undefined && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? { mac } : {}),
  };
}

export function sameFacts(a: NodeFacts, b: NodeFacts): boolean {
  return a.name === b.name && a.address === b.address && a.podCIDR === b.podCIDR && a.mac === b.mac;
}
