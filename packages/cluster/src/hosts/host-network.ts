import { writeFileSync } from 'node:fs';
import { AlreadyExistsError, createPinnedNamespaces, deletePinnedNamespaces, isPinnedNamespace, Network, NotFoundError, nftApply } from '@coxswain/linux';
import { parseCidr4 } from '../cidr.js';
import type { ClusterConfig, HostConfig } from '../cluster-spec.js';
import { tablePrefix } from '../names.js';
import { hostNamespaces } from './host-view.js';

/** Every host sees its end of the link under this name. */
export const HOST_LINK = 'eth0';

/** The machine's end of a host's link; at most 15 characters. */
export function hostLinkName(config: ClusterConfig, host: HostConfig): string {
  return `cox${config.index}-h${host.ordinal}`;
}

const prefixOf = (cidr: string) => parseCidr4(cidr)?.bits ?? 32;

/**
 * The bridge that hosts are ports of, its address, and the way out for them. It stands for a switch, which tracks no connections of others: where the
 * machine shows its rules what crosses bridges (br_netfilter), that would be done a third time. Idempotent; made level-triggered by every `up`.
 */
export async function ensureHostBridge(config: ClusterConfig): Promise<void> {
  const { cidr, gateway, bridge } = config.hostNetwork;
  const network = new Network();
  await network.createBridge({ name: bridge, up: true }).catch(unlessThere);
  await network.addAddress(bridge, `${gateway}/${prefixOf(cidr)}`).catch(unlessThere);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  const table = `${tablePrefix(config)}-hosts`;
  await nftApply(`table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain switch {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip saddr ${cidr} ip daddr != ${gateway} ip daddr { ${[cidr, config.podCIDR].join(', ')} } notrack
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cidr} oifname != "${bridge}" masquerade
  }
}
`);
}

/** A host's namespaces and its link. Idempotent: what a crash or a hand has taken away is made again. */
export async function ensureHost(view: ClusterConfig, host: HostConfig): Promise<void> {
  const namespaces = hostNamespaces(view);
  if (!(await isPinnedNamespace(namespaces.net)) || !(await isPinnedNamespace(namespaces.uts))) {
    await deletePinnedNamespaces(namespaces.dir);
    await createPinnedNamespaces({ dir: namespaces.dir, kinds: ['net', 'uts'], hostname: host.name });
  }
  const inside = new Network({ netns: namespaces.net });
  if (!(await inside.findLink(HOST_LINK))) {
    const machine = new Network();
    const name = hostLinkName(view, host);
    // What is left of a host that is gone: its other end is in no namespace of ours.
    if (await machine.findLink(name)) await machine.deleteLink(name);
    await machine.createVeth({ name, up: true, master: view.hostNetwork.bridge, peer: { name: HOST_LINK, netns: namespaces.net, up: true } });
  }
  await ensureHostAddress(view, host, inside);
}

/**
 * A host's address and default route. The kernel forgets routes over a link that goes down, so somebody has to look again: the node's
 * process does, as a network manager would on a machine.
 */
export async function ensureHostAddress(view: ClusterConfig, host: HostConfig, network: Network): Promise<void> {
  const link = await network.findLink(HOST_LINK);
  if (!link?.up) return;
  const { cidr, gateway } = view.hostNetwork;
  const addresses = await network.addresses(link.index);
  if (!addresses.some(({ address }) => address === host.ip)) await network.addAddress(link.index, `${host.ip}/${prefixOf(cidr)}`).catch(unlessThere);
  const routes = await network.routes(4);
  if (!routes.some(({ destination, table }) => destination === '0.0.0.0/0' && table === 254)) {
    await network.addRoute({ destination: '0.0.0.0/0', gateway, link: link.index }).catch(unlessThere);
  }
}

/** Takes a host's link and namespaces away. Its processes must have ended. Idempotent. */
export async function removeHost(view: ClusterConfig, host: HostConfig): Promise<void> {
  const machine = new Network();
  const name = hostLinkName(view, host);
  // It goes with the host's namespace too, which may be going already.
  await machine.deleteLink(name).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
  await deletePinnedNamespaces(hostNamespaces(view).dir);
}

function unlessThere(error: unknown): void {
  if (!(error instanceof AlreadyExistsError)) throw error;
}
