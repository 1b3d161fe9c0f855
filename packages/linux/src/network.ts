import { closeSync, openSync } from 'node:fs';
import { NotFoundError } from './errors.js';
import { ipToBytes } from './ip.js';
import { linkReaper } from './link-reaper.js';
import { type AddressInfo, decodeAddress, deleteAddressMessage, listAddressesMessage, newAddressMessage } from './netlink/address-messages.js';
import {
  type BridgePortAttributes,
  decodeLink,
  getLinkMessage,
  type LinkAttributes,
  type LinkInfo,
  listLinksMessage,
  newLinkMessage,
  setBridgePortMessage,
  setLinkMessage,
} from './netlink/link-messages.js';
import { decodeNeighbor, deleteNeighborMessage, fdbMessage, listNeighborsMessage, type NeighborInfo, newNeighborMessage } from './netlink/neighbor-messages.js';
import { decodeRoute, deleteRouteMessage, listRoutesMessage, newRouteMessage, type RouteInfo, type RouteSpec } from './netlink/route-messages.js';
import { AF_INET, AF_INET6, Rtnetlink } from './netlink/rtnetlink.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';

/** A link by name, or by its index in this namespace. */
export type LinkRef = string | number;

export interface CommonLinkOptions {
  readonly mtu?: number;
  readonly mac?: string;
  readonly up?: boolean;
  readonly master?: LinkRef;
}

export interface VethOptions extends CommonLinkOptions {
  readonly name: string;
  readonly peer: { readonly name: string; readonly mtu?: number; readonly mac?: string; readonly up?: boolean; readonly netns?: string };
}

export interface SetLinkOptions {
  readonly mtu?: number;
  readonly mac?: string;
  readonly up?: boolean;
  readonly promiscuous?: boolean;
  readonly rename?: string;
  /** `null` leaves the bridge. */
  readonly master?: LinkRef | null;
  /** Path of the namespace to move to. */
  readonly netns?: string;
}

export interface AddressSpec {
  /** `10.244.1.5/24` */
  readonly cidr: string;
  /** Default true: the kernel adds the route to the subnet. False: the caller's routes say how it is reached. */
  readonly subnetRoute?: boolean;
}

/**
 * Links, addresses, routes and neighbours of one network namespace, by rtnetlink and without a process.
 * Methods reject with `LinuxError`s: `NotFoundError` for a link that is not there, `AlreadyExistsError` for one that is.
 */
export class Network {
  private readonly rtnl: Rtnetlink;
  private readonly thread: SyscallThread | undefined;

  constructor(options: { readonly netns?: string; readonly thread?: SyscallThread } = {}) {
    this.thread = options.thread;
    this.rtnl = new Rtnetlink(options.netns, options.thread);
  }

  async links(): Promise<LinkInfo[]> {
    return (await this.rtnl.request('list links', listLinksMessage())).map((m) => decodeLink(m.body));
  }

  async link(name: string): Promise<LinkInfo> {
    const [message] = await this.rtnl.request(`get link ${name}`, getLinkMessage(name));
    if (!message) throw new NotFoundError(`get link ${name}`, 19);
    return decodeLink(message.body);
  }

  async findLink(name: string): Promise<LinkInfo | undefined> {
    try {
      return await this.link(name);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  private async index(ref: LinkRef): Promise<number> {
    return typeof ref === 'number' ? ref : (await this.link(ref)).index;
  }

  private async attributes(options: CommonLinkOptions): Promise<LinkAttributes> {
    const { master, ...rest } = options;
    return master === undefined ? rest : { ...rest, masterIndex: await this.index(master) };
  }

  /** Both ends in one step; the peer is born inside its namespace. Resolves with both as they came out. */
  async createVeth(options: VethOptions): Promise<{ readonly link: LinkInfo; readonly peer: LinkInfo }> {
    // The kernel opens the peer before the pair is joined, so it can only come up afterwards.
    const { netns, up, ...peer } = options.peer;
    const attributes = await this.attributes(options);
    const netnsFd = netns === undefined ? undefined : openSync(netns, 'r');
    try {
      const create = newLinkMessage(options.name, { kind: 'veth', peer: { ...peer, ...(netnsFd === undefined ? {} : { netnsFd }) } }, attributes);
      const link = await this.linkAfter(`create veth ${options.name}`, create, options.name);
      const there = netns === undefined ? this : new Network({ netns, ...(this.thread ? { thread: this.thread } : {}) });
      return { link, peer: await there.setAndGet(peer.name, up ? { up } : {}) };
    } finally {
      if (netnsFd !== undefined) closeSync(netnsFd);
    }
  }

  private async setAndGet(name: string, attributes: LinkAttributes): Promise<LinkInfo> {
    return this.linkAfter(`set link ${name}`, setLinkMessage(name, attributes), name);
  }

  /** Does something, and looks at a link, in one visit to the kernel. */
  private async linkAfter(operation: string, message: Uint8Array, name: string): Promise<LinkInfo> {
    const replies = await this.rtnl.batch([
      { operation, message },
      { operation: `get link ${name}`, message: getLinkMessage(name) },
    ]);
    const body = replies[1]?.[0]?.body;
    if (!body) throw new NotFoundError(`get link ${name}`, 19);
    return decodeLink(body);
  }

  /** Gives a link its addresses, then routes over it, in one visit to the kernel. Stops at the first refusal. */
  async configureLink(index: number, options: { readonly addresses: readonly AddressSpec[]; readonly routes?: readonly RouteSpec[] }): Promise<void> {
    await this.rtnl.batch([
      ...options.addresses.map(({ cidr, subnetRoute = true }) => ({
        operation: `add address ${cidr}`,
        message: newAddressMessage(index, cidr, { subnetRoute }),
      })),
      ...(options.routes ?? []).map((route) => ({
        operation: `add route to ${route.destination}`,
        message: newRouteMessage({ linkIndex: index, ...route }, false),
      })),
    ]);
  }

  async createBridge(options: CommonLinkOptions & { readonly name: string; readonly stp?: boolean; readonly vlanFiltering?: boolean }): Promise<void> {
    const { name, stp, vlanFiltering, ...rest } = options;
    const kind = { kind: 'bridge' as const, ...(stp === undefined ? {} : { stp }), ...(vlanFiltering === undefined ? {} : { vlanFiltering }) };
    await this.rtnl.request(`create bridge ${name}`, newLinkMessage(name, kind, await this.attributes(rest)));
  }

  async createVxlan(
    options: CommonLinkOptions & {
      readonly name: string;
      readonly id: number;
      /** UDP port; 4789 by IANA, 8472 by Linux tradition. */
      readonly port: number;
      readonly local?: string;
      readonly link?: LinkRef;
      readonly learning?: boolean;
    },
  ): Promise<void> {
    const { name, id, port, local, link, learning, ...rest } = options;
    const kind = {
      kind: 'vxlan' as const,
      id,
      port,
      ...(local === undefined ? {} : { local: ipToBytes(local) }),
      ...(link === undefined ? {} : { linkIndex: await this.index(link) }),
      ...(learning === undefined ? {} : { learning }),
    };
    await this.rtnl.request(`create vxlan ${name}`, newLinkMessage(name, kind, await this.attributes(rest)));
  }

  async deleteLink(ref: LinkRef): Promise<void> {
    await linkReaper(this.thread ?? sharedThread(), this.rtnl.netns).delete(await this.index(ref));
  }

  async setLink(ref: LinkRef, options: SetLinkOptions): Promise<void> {
    const { master, netns, ...rest } = options;
    const index = await this.index(ref);
    const masterIndex = master === undefined ? undefined : master === null ? 0 : await this.index(master);
    const netnsFd = netns === undefined ? undefined : openSync(netns, 'r');
    try {
      const attributes = { ...rest, ...(masterIndex === undefined ? {} : { masterIndex }), ...(netnsFd === undefined ? {} : { netnsFd }) };
      await this.rtnl.request(`set link ${ref}`, setLinkMessage(index, attributes));
    } finally {
      if (netnsFd !== undefined) closeSync(netnsFd);
    }
  }

  async setBridgePort(ref: LinkRef, port: BridgePortAttributes): Promise<void> {
    await this.rtnl.request(`set bridge port ${ref}`, setBridgePortMessage(await this.index(ref), port));
  }

  /** Every link has an IPv6 address: who wants those of IPv4 says so, and is spared the others. */
  async addresses(ref?: LinkRef, family?: 4 | 6): Promise<AddressInfo[]> {
    const only = ref === undefined ? undefined : await this.index(ref);
    const message = listAddressesMessage(family === undefined ? 0 : family === 4 ? AF_INET : AF_INET6);
    const all = (await this.rtnl.request('list addresses', message)).map((m) => decodeAddress(m.body));
    return only === undefined ? all : all.filter((a) => a.linkIndex === only);
  }

  async addAddress(ref: LinkRef, cidr: string, options: { readonly replace?: boolean } = {}): Promise<void> {
    await this.rtnl.request(`add address ${cidr} to ${ref}`, newAddressMessage(await this.index(ref), cidr, options));
  }

  async deleteAddress(ref: LinkRef, cidr: string): Promise<void> {
    await this.rtnl.request(`delete address ${cidr} from ${ref}`, deleteAddressMessage(await this.index(ref), cidr));
  }

  /** Routes of all tables; `table` 254 is the main one. */
  async routes(family: 0 | 4 | 6 = 0): Promise<RouteInfo[]> {
    return (await this.rtnl.request('list routes', listRoutesMessage(family))).map((m) => decodeRoute(m.body));
  }

  async addRoute(route: Omit<RouteSpec, 'linkIndex'> & { readonly link?: LinkRef }, options: { readonly replace?: boolean } = {}): Promise<void> {
    await this.rtnl.request(`add route to ${route.destination}`, newRouteMessage(await this.routeSpec(route), options.replace ?? false));
  }

  async deleteRoute(route: Omit<RouteSpec, 'linkIndex'> & { readonly link?: LinkRef }): Promise<void> {
    await this.rtnl.request(`delete route to ${route.destination}`, deleteRouteMessage(await this.routeSpec(route)));
  }

  private async routeSpec(route: Omit<RouteSpec, 'linkIndex'> & { readonly link?: LinkRef }): Promise<RouteSpec> {
    const { link, ...rest } = route;
    return link === undefined ? rest : { ...rest, linkIndex: await this.index(link) };
  }

  async neighbors(family: 'ip' | 'fdb' = 'ip'): Promise<NeighborInfo[]> {
    return (await this.rtnl.request('list neighbors', listNeighborsMessage(family))).map((m) => decodeNeighbor(m.body));
  }

  async setNeighbor(ref: LinkRef, address: string, mac: string): Promise<void> {
    await this.rtnl.request(`set neighbor ${address}`, newNeighborMessage(await this.index(ref), address, mac));
  }

  async deleteNeighbor(ref: LinkRef, address: string): Promise<void> {
    await this.rtnl.request(`delete neighbor ${address}`, deleteNeighborMessage(await this.index(ref), address));
  }

  async setFdb(ref: LinkRef, mac: string, remote: string): Promise<void> {
    await this.rtnl.request(`set forwarding of ${mac}`, fdbMessage('add', await this.index(ref), mac, remote));
  }

  async deleteFdb(ref: LinkRef, mac: string, remote: string): Promise<void> {
    await this.rtnl.request(`delete forwarding of ${mac}`, fdbMessage('delete', await this.index(ref), mac, remote));
  }
}
