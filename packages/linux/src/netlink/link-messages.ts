import { bytesToIp } from '../ip.js';
import { type Attribute, decodeAttributes, encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, readText, text, u8, u16be, u32 } from './codec.js';
import { AF_BRIDGE, RTM } from './rtnetlink.js';

// linux/if_link.h, linux/if.h
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, PROTINFO: 12, LINKINFO: 18, GROUP: 27, NET_NS_FD: 28, PROMISCUITY: 30 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const BRPORT = { MODE: 4, LEARNING: 8, ISOLATED: 33 } as const;
const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x10000;
const IFF_PROMISC = 0x100;
const VETH_INFO_PEER = 1;
const IFLA_BR = { STP_STATE: 5, VLAN_FILTERING: 7 } as const;
const VXLAN = { ID: 1, LINK: 3, LOCAL: 4, TTL: 5, LEARNING: 7, PORT: 15, LOCAL6: 17 } as const;

export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `vxlan`…; empty for a physical link and `lo`. */
  readonly kind: string;
  readonly mtu: number;
  /** Lower-case, colon-separated; empty for links without one. */
  readonly mac: string;
  readonly up: boolean;
  readonly carrier: boolean;
  readonly promiscuous: boolean;
  /** Index of the bridge it is a port of. */
  readonly masterIndex?: number;
  /** Index of the other end of a veth, in that end's namespace. */
  readonly peerIndex?: number;
  /** Of a vxlan link. */
  readonly vxlan?: VxlanInfo;
}

export interface VxlanInfo {
  readonly id: number;
  readonly port: number;
  /** Source address of the outer packets. */
  readonly local?: string;
  /** Index of the link the outer packets leave by. */
  readonly linkIndex?: number;
  readonly learning: boolean;
}

export interface LinkAttributes {
  readonly mtu?: number;
  readonly mac?: string;
  readonly up?: boolean;
  /** Index of the bridge to join; 0 leaves it. */
  readonly masterIndex?: number;
  readonly promiscuous?: boolean;
  readonly rename?: string;
  /** Open descriptor of the namespace to move to. */
  readonly netnsFd?: number;
}

export function macToBytes(mac: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) throw new TypeError(`not a MAC address: ${JSON.stringify(mac)}`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function bytesToMac(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(':');
}

function ifinfomsg(index: number, flags = 0, change = 0, family = 0): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt8(family, 0);
  out.writeInt32LE(index, 4);
  out.writeUInt32LE(flags >>> 0, 8);
  out.writeUInt32LE(change >>> 0, 12);
  return out;
}

function flagBits(a: LinkAttributes): [flags: number, change: number] {
  let flags = 0;
  let change = 0;
  if (a.up !== undefined) {
    change |= IFF_UP;
    if (a.up) flags |= IFF_UP;
  }
  if (a.promiscuous !== undefined) {
    change |= IFF_PROMISC;
    if (a.promiscuous) flags |= IFF_PROMISC;
  }
  return [flags, change];
}

function common(a: LinkAttributes): Attribute[] {
  const out: Attribute[] = [];
  if (a.mtu !== undefined && a.mtu > 0) out.push([IFLA.MTU, u32(a.mtu)]);
  if (a.mac) out.push([IFLA.ADDRESS, macToBytes(a.mac)]);
  if (a.masterIndex !== undefined) out.push([IFLA.MASTER, u32(a.masterIndex)]);
  if (a.netnsFd !== undefined) out.push([IFLA.NET_NS_FD, u32(a.netnsFd)]);
  return out;
}

export type LinkKind =
  | { readonly kind: 'veth'; readonly peer: LinkAttributes & { readonly name: string } }
  | { readonly kind: 'bridge'; readonly stp?: boolean; readonly vlanFiltering?: boolean }
  | {
      readonly kind: 'vxlan';
      readonly id: number;
      readonly port: number;
      /** Source address bytes of the outer packets. */
      readonly local?: Uint8Array;
      /** Index of the link the outer packets leave by. */
      readonly linkIndex?: number;
      readonly learning?: boolean;
    };

function kindData(kind: LinkKind): Attribute[] {
  switch (kind.kind) {
    case 'veth': {
      const [flags, change] = flagBits(kind.peer);
      const peer = encodeMessage(0, 0, ifinfomsg(0, flags, change), [[IFLA.IFNAME, text(kind.peer.name)], ...common(kind.peer)]).subarray(16);
      return [[VETH_INFO_PEER, peer]];
    }
    case 'bridge': {
      const data: Attribute[] = [];
      if (kind.stp !== undefined) data.push([IFLA_BR.STP_STATE, u32(kind.stp ? 1 : 0)]);
      if (kind.vlanFiltering !== undefined) data.push([IFLA_BR.VLAN_FILTERING, u8(kind.vlanFiltering ? 1 : 0)]);
      return data;
    }
    case 'vxlan': {
      const data: Attribute[] = [
        [VXLAN.ID, u32(kind.id)],
        [VXLAN.PORT, u16be(kind.port)],
        [VXLAN.LEARNING, u8(kind.learning === false ? 0 : 1)],
      ];
      if (kind.local) data.push([kind.local.length === 4 ? VXLAN.LOCAL : VXLAN.LOCAL6, kind.local]);
      if (kind.linkIndex !== undefined) data.push([VXLAN.LINK, u32(kind.linkIndex)]);
      return data;
    }
  }
}

export function newLinkMessage(name: string, kind: LinkKind, attributes: LinkAttributes): Buffer {
  const [flags, change] = flagBits(attributes);
  return encodeMessage(RTM.NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifinfomsg(0, flags, change), [
    [IFLA.IFNAME, text(name)],
    ...common(attributes),
    [
      IFLA.LINKINFO,
      [
        [IFLA_INFO.KIND, text(kind.kind)],
        [IFLA_INFO.DATA, kindData(kind)],
      ],
    ],
  ]);
}

export function setLinkMessage(link: number | string, attributes: LinkAttributes): Buffer {
  const [flags, change] = flagBits(attributes);
  const attrs = common(attributes);
  // By name the kernel looks it up itself; a new name then needs the index.
  const index = typeof link === 'number' ? link : 0;
  if (typeof link === 'string') attrs.unshift([IFLA.IFNAME, text(link)]);
  else if (attributes.rename !== undefined) attrs.push([IFLA.IFNAME, text(attributes.rename)]);
  return encodeMessage(RTM.NEWLINK, NLM_F_ACK, ifinfomsg(index, flags, change), attrs);
}

export interface BridgePortAttributes {
  /** Send packets back out of the port they came in by. */
  readonly hairpin?: boolean;
  readonly learning?: boolean;
  /** Isolated ports cannot talk to each other. */
  readonly isolated?: boolean;
}

export function setBridgePortMessage(index: number, port: BridgePortAttributes): Buffer {
  const attrs: Attribute[] = [];
  if (port.hairpin !== undefined) attrs.push([BRPORT.MODE, u8(port.hairpin ? 1 : 0)]);
  if (port.learning !== undefined) attrs.push([BRPORT.LEARNING, u8(port.learning ? 1 : 0)]);
  if (port.isolated !== undefined) attrs.push([BRPORT.ISOLATED, u8(port.isolated ? 1 : 0)]);
  return encodeMessage(RTM.SETLINK, NLM_F_ACK, ifinfomsg(index, 0, 0, AF_BRIDGE), [[IFLA.PROTINFO, attrs]]);
}

export function deleteLinkMessage(index: number): Buffer {
  return encodeMessage(RTM.DELLINK, NLM_F_ACK, ifinfomsg(index));
}

export function setGroupMessage(index: number, group: number): Buffer {
  return encodeMessage(RTM.NEWLINK, NLM_F_ACK, ifinfomsg(index), [[IFLA.GROUP, u32(group)]]);
}

/** Every link of the group, in one step. */
export function deleteGroupMessage(group: number): Buffer {
  return encodeMessage(RTM.DELLINK, NLM_F_ACK, ifinfomsg(0), [[IFLA.GROUP, u32(group)]]);
}

export function getLinkMessage(name: string): Buffer {
  return encodeMessage(RTM.GETLINK, NLM_F_ACK, ifinfomsg(0), [[IFLA.IFNAME, text(name)]]);
}

export function listLinksMessage(): Buffer {
  return encodeMessage(RTM.GETLINK, NLM_F_DUMP, ifinfomsg(0));
}

export function decodeLink(body: Uint8Array): LinkInfo {
  const fixed = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const attrs = decodeAttributes(body.subarray(16));
  const flags = fixed.readUInt32LE(8);
  const info = decodeAttributes(attrs.get(IFLA.LINKINFO) ?? new Uint8Array());
  const kind = info.get(IFLA_INFO.KIND);
  const master = attrs.get(IFLA.MASTER)?.readUInt32LE(0);
  const peer = attrs.get(IFLA.LINK)?.readUInt32LE(0);
  const mac = attrs.get(IFLA.ADDRESS);
  return {
    index: fixed.readInt32LE(4),
    name: readText(attrs.get(IFLA.IFNAME) ?? new Uint8Array()),
    kind: kind ? readText(kind) : '',
    mtu: attrs.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    mac: mac ? bytesToMac(mac) : '',
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    promiscuous: (attrs.get(IFLA.PROMISCUITY)?.readUInt32LE(0) ?? 0) > 0 || (flags & IFF_PROMISC) !== 0,
    ...(master ? { masterIndex: master } : {}),
    ...(peer !== undefined ? { peerIndex: peer } : {}),
    ...(kind && readText(kind) === 'vxlan' ? { vxlan: decodeVxlan(info.get(IFLA_INFO.DATA) ?? new Uint8Array()) } : {}),
  };
}

function decodeVxlan(body: Uint8Array): VxlanInfo {
  const data = decodeAttributes(body);
  const local = data.get(VXLAN.LOCAL) ?? data.get(VXLAN.LOCAL6);
  const linkIndex = data.get(VXLAN.LINK)?.readUInt32LE(0);
  return {
    id: data.get(VXLAN.ID)?.readUInt32LE(0) ?? 0,
    port: data.get(VXLAN.PORT)?.readUInt16BE(0) ?? 0,
    learning: data.get(VXLAN.LEARNING)?.readUInt8(0) === 1,
    ...(local ? { local: bytesToIp(local) } : {}),
    ...(linkIndex ? { linkIndex } : {}),
  };
}
