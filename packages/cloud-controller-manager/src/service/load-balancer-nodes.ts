import type { Node } from '@coxswain/api';
import { readyStatus } from '../node/taints.js';

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';

/** The nodes a load balancer may send traffic to. Whether one answers at the moment is for the load balancer to find out. */
export function loadBalancerNodes(nodes: readonly Node[]): Node[] {
  return nodes
    .filter((n) => !n.metadata.deletionTimestamp && n.metadata.labels?.[EXCLUDE] === undefined && !n.spec?.taints?.some((t) => t.key === TO_BE_DELETED))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

/** Changes when load balancers have to be told of the nodes again. */
export function nodesFingerprint(nodes: readonly Node[]): string {
  return JSON.stringify(
    loadBalancerNodes(nodes).map((n) => [n.metadata.name, n.spec?.providerID, readyStatus(n) === 'True', n.status?.addresses?.map((a) => a.address)]),
  );
}
