import type { Node } from '@coxswain/api';
import type { InstanceAddress, InstanceMetadata } from '@coxswain/sdk';

/** Set by a kubelet that was told its address: the cloud's list is led by it. */
export const PROVIDED_IP = 'alpha.kubernetes.io/provided-node-ip';

const OWN_NAMESPACE = /(^|\.)(kubernetes|k8s)\.io\//;

/** The labels a node gets when the cloud has told what it is. Pure. */
export function cloudLabels(metadata: InstanceMetadata, present: Readonly<Record<string, string>> = {}): Record<string, string> {
  const out: Record<string, string> = {};
  const both = (value: string | undefined, stable: string, legacy: string) => {
    if (!value) return;
    out[stable] = value;
    out[legacy] = value;
  };
  both(metadata.instanceType, 'node.kubernetes.io/instance-type', 'beta.kubernetes.io/instance-type');
  both(metadata.zone, 'topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone');
  both(metadata.region, 'topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region');
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!OWN_NAMESPACE.test(key) && present[key] === undefined) out[key] = value;
  }
  return out;
}

/**
 * The node's addresses as the cloud knows them. The kubelet's own choice of an address comes first within its type; a host name the
 * cloud does not know stays. Throws when the kubelet uses an address that is none of the machine's. Pure.
 */
export function nodeAddresses(node: Node, metadata: InstanceMetadata): InstanceAddress[] {
  const known = [...metadata.addresses];
  if (!known.some((a) => a.type === 'Hostname')) {
    const hostname = node.status?.addresses?.find((a) => a.type === 'Hostname');
    if (hostname) known.push({ type: 'Hostname', address: hostname.address });
  }
  const provided = node.metadata.annotations?.[PROVIDED_IP]?.split(',').map((ip) => ip.trim());
  if (!provided?.length) return known;
  const first = provided.map((ip) => {
    const found = known.find((a) => a.address === ip);
    if (!found) throw new Error(`failed to get node address from cloud provider that matches ip: ${ip}`);
    return found;
  });
  const types = new Set(first.map((a) => a.type));
  return [...first, ...known.filter((a) => !types.has(a.type))];
}

export const sameAddresses = (a: readonly { type: string; address: string }[] = [], b: readonly { type: string; address: string }[]): boolean =>
  a.length === b.length && a.every((x, i) => x.type === b[i]?.type && x.address === b[i]?.address);
