import { addressAt, overlaps, parseCidr4 } from '../cidr.js';
import type { HostConfig, HostNetwork, HostSpec } from '../cluster-spec.js';

/** Upstream's. */
export const DEFAULT_GRACE_PERIOD_SECONDS = 40;

/** Every node takes a /24 of the pod network, as the controller manager gives them out. */
const NODE_BITS = 24;

/** The hosts' link of a cluster. The prefix of a broken CIDR is told by `hostProblems`. */
export function hostNetworkOf(index: number, cidr = `10.${176 + index}.0.0/24`): HostNetwork {
  const network = parseCidr4(cidr);
  return { cidr, gateway: network ? addressAt(network, 1) : '', bridge: `cox${index}-hosts` };
}

/** The hosts a new cluster begins with. */
export function firstHosts(specs: readonly HostSpec[], network: HostNetwork, runtime: string): HostConfig[] {
  const chosen = specs.some((spec) => spec.controlPlane);
  const hosts: HostConfig[] = [];
  for (const [i, spec] of specs.entries()) {
    hosts.push(nextHost({ ...spec, controlPlane: chosen ? (spec.controlPlane ?? false) : i === 0 }, hosts, network, runtime));
  }
  return hosts;
}

/** One more host, with the lowest ordinal and address that are free. */
export function nextHost(spec: HostSpec, others: readonly HostConfig[], network: HostNetwork, runtime: string): HostConfig {
  const used = new Set(others.map(({ ordinal }) => ordinal));
  let ordinal = 1;
  while (used.has(ordinal)) ordinal++;
  const cidr = parseCidr4(network.cidr);
  const ip = cidr ? addressAt(cidr, ordinal + 1) : '';
  return { name: spec.name, ip, ordinal, controlPlane: spec.controlPlane ?? false, runtime: spec.runtime ?? runtime };
}

/** `node-1`, `node-2`…: the first that nobody has. */
export function freeHostName(hosts: readonly { readonly name: string }[]): string {
  for (let n = 1; ; n++) {
    const name = `node-${n}`;
    if (!hosts.some((host) => host.name === name)) return name;
  }
}

/** What is wrong with the hosts of a cluster, in words. */
export function hostProblems(o: {
  readonly hosts: readonly HostConfig[];
  readonly hostNetwork: HostNetwork;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
}): string[] {
  const problems: string[] = [];
  for (const { name } of o.hosts) {
    // The link names and folders are made from other things; this is what a node's name and a host name may be.
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
      problems.push(`host name "${name}" must be 1 to 63 lower-case letters, digits or dashes, and start and end with a letter or digit`);
    }
  }
  const names = o.hosts.map(({ name }) => name);
  for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i))) problems.push(`two hosts are named "${name}"`);

  const network = parseCidr4(o.hostNetwork.cidr);
  if (!network) return [...problems, `network.hostCIDR "${o.hostNetwork.cidr}" is not an IPv4 network such as 10.176.0.0/24`];
  for (const [field, cidr] of [
    ['network.podCIDR', o.podCIDR],
    ['network.serviceCIDR', o.serviceCIDR],
  ] as const) {
    const other = parseCidr4(cidr);
    if (other && overlaps(network, other)) problems.push(`network.hostCIDR ${o.hostNetwork.cidr} and ${field} ${cidr} overlap; choose separate networks`);
  }
  const highest = Math.max(0, ...o.hosts.map(({ ordinal }) => ordinal));
  // Its first address is the network's, its second the machine's, its last the broadcast.
  const addresses = 2 ** (32 - network.bits) - 3;
  if (highest > addresses)
    problems.push(`network.hostCIDR ${o.hostNetwork.cidr} has addresses for ${Math.max(0, addresses)} hosts, not for ${highest}; choose a larger network`);
  const pods = parseCidr4(o.podCIDR);
  const shares = pods ? 2 ** Math.max(0, NODE_BITS - pods.bits) : Number.POSITIVE_INFINITY;
  if (o.hosts.length > shares)
    problems.push(`network.podCIDR ${o.podCIDR} has room for ${shares} nodes of a /${NODE_BITS} each, not for ${o.hosts.length}; choose a larger network`);
  return problems;
}
