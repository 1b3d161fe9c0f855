import { bytesToIp, ipToBytes } from '../ip.js';
import { type Attribute, decodeAttributes, encodeMessage, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE } from './codec.js';
import { macToBytes } from './link-messages.js';
import { AF_BRIDGE, AF_INET, AF_INET6, RTM } from './rtnetlink.js';

const NDA = { DST: 1, LLADDR: 2 } as const;
const NUD_PERMANENT = 0x80;
const NUD_NOARP = 0x40;
const NTF_SELF = 0x02;

export interface NeighborInfo {
  readonly linkIndex: number;
  readonly address: string;
  readonly mac: string;
  readonly permanent: boolean;
}

function ndmsg(family: number, index: number, state: number, flags: number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt8(family, 0);
  out.writeInt32LE(index, 4);
  out.writeUInt16LE(state, 8);
  out.writeUInt8(flags, 10);
  return out;
}

function neighbor(type: number, flags: number, linkIndex: number, address: string, mac?: string): Buffer {
  const bytes = ipToBytes(address);
  const attrs: Attribute[] = [[NDA.DST, bytes]];
  if (mac) attrs.push([NDA.LLADDR, macToBytes(mac)]);
  return encodeMessage(type, flags, ndmsg(bytes.length === 4 ? AF_INET : AF_INET6, linkIndex, NUD_PERMANENT, 0), attrs);
}

/** A permanent ARP or ND entry. */
export const newNeighborMessage = (linkIndex: number, address: string, mac: string): Buffer =>
  neighbor(RTM.NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, linkIndex, address, mac);
export const deleteNeighborMessage = (linkIndex: number, address: string): Buffer => neighbor(RTM.DELNEIGH, NLM_F_ACK, linkIndex, address);

/** A forwarding entry of a vxlan link: frames for `mac` go to the tunnel endpoint `remote`. All zero: flood there too. */
export function fdbMessage(action: 'add' | 'delete', linkIndex: number, mac: string, remote: string): Buffer {
  const flood = mac === '00:00:00:00:00:00';
  return encodeMessage(
    action === 'add' ? RTM.NEWNEIGH : RTM.DELNEIGH,
    action === 'add' ? NLM_F_ACK | NLM_F_CREATE | (flood ? NLM_F_APPEND : NLM_F_REPLACE) : NLM_F_ACK,
    ndmsg(AF_BRIDGE, linkIndex, NUD_PERMANENT | NUD_NOARP, NTF_SELF),
    [
      [NDA.LLADDR, macToBytes(mac)],
      [NDA.DST, ipToBytes(remote)],
    ],
  );
}

export function listNeighborsMessage(family: 'ip' | 'fdb'): Buffer {
  return encodeMessage(RTM.GETNEIGH, NLM_F_DUMP, ndmsg(family === 'fdb' ? AF_BRIDGE : 0, 0, 0, 0));
}

export function decodeNeighbor(body: Uint8Array): NeighborInfo {
  const fixed = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const attrs = decodeAttributes(body.subarray(12));
  const dst = attrs.get(NDA.DST);
  return {
    linkIndex: fixed.readInt32LE(4),
    address: dst ? bytesToIp(dst) : '',
    mac: Array.from(attrs.get(NDA.LLADDR) ?? [], (b) => b.toString(16).padStart(2, '0')).join(':'),
    permanent: (fixed.readUInt16LE(8) & NUD_PERMANENT) !== 0,
  };
}
