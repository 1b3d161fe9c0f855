import type { Node } from '@coxswain/api';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';
export const REGION_LABEL = 'topology.kubernetes.io/region';

const zoneOf = (node: Node): string => `${node.metadata.labels?.[REGION_LABEL] ?? ''}\0${node.metadata.labels?.[ZONE_LABEL] ?? ''}`;

/** Node names taking one of each zone in turn, so that looking at a part of the list looks at all zones. */
export function interleaveZones(nodes: Iterable<Node>): string[] {
  const zones = new Map<string, string[]>();
  for (const node of nodes) {
    const zone = zoneOf(node);
    const list = zones.get(zone);
    if (list) list.push(node.metadata.name ?? '');
    else zones.set(zone, [node.metadata.name ?? '']);
  }
  const lists = [...zones.values()];
  const out: string[] = [];
  for (let round = 0; lists.some((l) => round < l.length); round++) {
    for (const list of lists) {
      const name = list[round];
      if (name !== undefined) out.push(name);
    }
  }
  return out;
}

export const sameZone = (a: Node, b: Node): boolean => zoneOf(a) === zoneOf(b);
