import type { Node } from '@coxswain/api';
import type { Route } from '@coxswain/sdk';

export interface RoutePlan {
  readonly remove: readonly Route[];
  readonly create: readonly Route[];
}

/** What has to go and what has to be made, so that every pod network leads to its node. `mine` tells our routes from others'. Pure. */
export function planRoutes(nodes: readonly Node[], routes: readonly Route[], mine: (cidr: string) => boolean): RoutePlan {
  const wanted = nodes.flatMap((node): Route[] => {
    const targetAddresses = (node.status?.addresses ?? []).filter((a) => a.type === 'InternalIP').map((a) => a.address);
    return podCidrs(node).map((destinationCIDR) => ({
      name: node.metadata.uid ?? '',
      targetNode: node.metadata.name ?? '',
      destinationCIDR,
      targetAddresses,
    }));
  });
  const keeps = (route: Route) => !route.blackhole && wanted.some((w) => same(w, route));
  return {
    remove: routes.filter((route) => mine(route.destinationCIDR) && !keeps(route)),
    create: wanted.filter((w) => !routes.some((route) => !route.blackhole && same(w, route))),
  };
}

export const podCidrs = (node: Node): readonly string[] => node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []);

function same(wanted: Route, route: Route): boolean {
  if (wanted.targetNode !== route.targetNode || wanted.destinationCIDR !== route.destinationCIDR) return false;
  const there = route.targetAddresses;
  return there === undefined || [...there].sort().join() === [...(wanted.targetAddresses ?? [])].sort().join();
}
