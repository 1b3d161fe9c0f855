import { createHash } from 'node:crypto';
import { type LinkInfo, Network, NotFoundError, nftApply, nftDeleteTable, type NftOptions, nftTables, writeSysctl } from '@coxswain/linux';
import { within } from './cidr.js';
import { networkTable } from './network-rules.js';
import type { Path, Underlay } from './plan.js';

/** Marks our routes (rtm_protocol), so that those of a node that is gone are found whoever made them. */
const ROUTE_PROTOCOL = 136;
const MAIN_TABLE = 254;

export interface KernelOptions {
  /** Name of the tunnel's link, at most 15 characters. */
  readonly device: string;
  readonly vni: number;
  /** UDP port of the tunnel. */
  readonly port: number;
  /** nftables table of the rules. */
  readonly table: string;
  /** All pods' addresses. */
  readonly clusterCIDRs: readonly string[];
  /** Path of the network namespace that plays the host; absent: our own. */
  readonly hostNetns?: string;
}

/** A node's tunnel, routes and rules in the kernel. Every method looks at what is there and makes what is missing. */
export class Kernel {
  private readonly network: Network;
  private readonly nft: NftOptions;
  private written: string | undefined;

  constructor(private readonly options: KernelOptions) {
    const { hostNetns } = options;
    this.network = new Network(hostNetns === undefined ? {} : { netns: hostNetns });
    this.nft = hostNetns === undefined ? {} : { netns: hostNetns };
  }

  /** The link that has the address; undefined when none has. */
  async underlay(address: string): Promise<(Underlay & { readonly up: boolean }) | undefined> {
    const found = (await this.network.addresses()).find((a) => a.address === address);
    const link = found && (await this.network.links()).find(({ index }) => index === found.linkIndex);
    return link && { linkIndex: link.index, address, prefix: found.prefix, mtu: link.mtu, up: link.up };
  }

  /** The node forwards for its pods. */
  async allowForwarding(): Promise<void> {
    await writeSysctl(this.options.hostNetns, 'net/ipv4/ip_forward', '1');
  }

  /** The tunnel as it must be for this node; one that is otherwise is made anew. Its hardware address depends on the node's name only. */
  async ensureTunnel(node: string, underlay: Underlay, mtu: number, address: string): Promise<LinkInfo> {
    const { device, vni, port } = this.options;
    const mac = tunnelMac(node, vni);
    let link = await this.network.findLink(device);
    if (link && !sameTunnel(link, { vni, port, underlay, mac })) {
      await this.network.deleteLink(link.index);
      link = undefined;
    }
    if (!link) {
      await this.network.createVxlan({ name: device, id: vni, port, local: underlay.address, link: underlay.linkIndex, learning: false, mac, mtu, up: true });
      link = await this.network.link(device);
    } else if (link.mtu !== mtu || !link.up) {
      await this.network.setLink(link.index, { mtu, up: true });
    }
    // An address of its own, so that what the node itself sends to pods elsewhere comes back the same way.
    const wanted = `${address}/32`;
    const present = (await this.network.addresses(link.index)).filter((a) => !a.address.includes(':')).map((a) => `${a.address}/${a.prefix}`);
    for (const other of present) if (other !== wanted) await this.network.deleteAddress(link.index, other);
    if (!present.includes(wanted)) await this.network.addAddress(link.index, wanted);
    return link;
  }

  /** Makes the node's paths exactly these. `tunnel` must be given when one of them takes it. */
  async setPaths(paths: readonly Path[], underlay: Underlay, tunnel: LinkInfo | undefined): Promise<void> {
    const tunnelled = paths.flatMap((path) => (path.kind === 'tunnel' ? [path] : []));
    if (tunnel) await this.setNeighbors(tunnelled, tunnel);
    const wanted = new Map(
      paths.map((path) => [
        path.podCIDR,
        { gateway: path.gateway, link: path.kind === 'tunnel' ? tunnel?.index : underlay.linkIndex, onlink: path.kind === 'tunnel' },
      ]),
    );
    for (const route of await this.ownRoutes()) {
      const { destination, gateway, linkIndex } = route;
      const want = wanted.get(destination);
      if (want && want.gateway === gateway && want.link === linkIndex) wanted.delete(destination);
      // One that goes another way is replaced below, without a gap.
      else if (!want) await this.deleteRoute(destination);
    }
    for (const [destination, { gateway, link, onlink }] of wanted) {
      if (link === undefined) continue;
      await this.network.addRoute({ destination, gateway, link, onlink, protocol: ROUTE_PROTOCOL }, { replace: true });
    }
  }

  private async setNeighbors(paths: readonly Extract<Path, { kind: 'tunnel' }>[], tunnel: LinkInfo): Promise<void> {
    const here = (entries: Awaited<ReturnType<Network['neighbors']>>) => entries.filter((e) => e.linkIndex === tunnel.index && e.permanent);
    const arp = new Map(here(await this.network.neighbors('ip')).map((e) => [e.address, e.mac]));
    const fdb = new Map(here(await this.network.neighbors('fdb')).map((e) => [e.mac, e.address]));
    for (const { gateway, mac, remote } of paths) {
      if (fdb.get(mac) !== remote) await this.network.setFdb(tunnel.index, mac, remote);
      if (arp.get(gateway) !== mac) await this.network.setNeighbor(tunnel.index, gateway, mac);
      fdb.delete(mac);
      arp.delete(gateway);
    }
    for (const [mac, remote] of fdb) await this.network.deleteFdb(tunnel.index, mac, remote).catch(unlessGone);
    for (const address of arp.keys()) if (!address.includes(':')) await this.network.deleteNeighbor(tunnel.index, address).catch(unlessGone);
  }

  private async ownRoutes() {
    const { clusterCIDRs } = this.options;
    return (await this.network.routes(4)).filter(
      (r) => r.protocol === ROUTE_PROTOCOL && r.table === MAIN_TABLE && clusterCIDRs.some((cidr) => within(r.destination, cidr)),
    );
  }

  private async deleteRoute(destination: string): Promise<void> {
    await this.network.deleteRoute({ destination, protocol: ROUTE_PROTOCOL }).catch(unlessGone);
  }

  /** What pods send out of the pod network leaves under the node's address. `address`: of the tunnel's end. `again`: also when it was written before. */
  async ensureRules(podCIDR: string, address: string | undefined, again: boolean): Promise<void> {
    const { table, clusterCIDRs, port } = this.options;
    const script = networkTable(table, { podCIDR, clusterCIDRs, ...(address === undefined ? {} : { tunnel: { address, port } }) });
    if (this.written === script && !again) return;
    await nftApply(script, this.nft);
    this.written = script;
  }

  async removeTunnel(): Promise<void> {
    const link = await this.network.findLink(this.options.device);
    if (link?.kind === 'vxlan') await this.network.deleteLink(link.index).catch(unlessGone);
  }

  /** Takes everything away that this plugin makes in the kernel, whoever made it. Idempotent. */
  async cleanup(): Promise<void> {
    for (const { destination } of await this.ownRoutes()) await this.deleteRoute(destination);
    await this.removeTunnel();
    if ((await nftTables(this.nft)).some(({ family, name }) => family === 'inet' && name === this.options.table)) {
      await nftDeleteTable('inet', this.options.table, this.nft);
    }
    this.written = undefined;
  }
}

/** The same after every restart, so that what others know of this node stays true. */
function tunnelMac(node: string, vni: number): string {
  const digest = createHash('sha256').update(`vtep/${vni}/${node}`).digest('hex');
  return `02:${digest.slice(0, 10).replace(/(..)(?=.)/g, '$1:')}`;
}

function sameTunnel(link: LinkInfo, want: { readonly vni: number; readonly port: number; readonly underlay: Underlay; readonly mac: string }): boolean {
  const { vxlan } = link;
  return (
    vxlan !== undefined &&
    vxlan.id === want.vni &&
    vxlan.port === want.port &&
    vxlan.local === want.underlay.address &&
    vxlan.linkIndex === want.underlay.linkIndex &&
    !vxlan.learning &&
    link.mac === want.mac
  );
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
