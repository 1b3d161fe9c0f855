import { bytesToIp, ipToBytes, parseCidr } from '../ip.js';
import { type Attribute, decodeAttributes, encodeMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, u32 } from './codec.js';
import { AF_INET, AF_INET6, RTM } from './rtnetlink.js';

const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8 } as const;
/** No duplicate address detection: a pod's address is usable at once. */
const IFA_F_NODAD = 0x02;
const IFA_F_NOPREFIXROUTE = 0x200;

export interface AddressInfo {
  readonly linkIndex: number;
  readonly address: string;
  readonly prefix: number;
  /** `link` for fe80::/10 and the like. */
  readonly scope: number;
}

function ifaddrmsg(family: number, prefix: number, index: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt8(family, 0);
  out.writeUInt8(prefix, 1);
  out.writeInt32LE(index, 4);
  return out;
}

/** Whole-address broadcast of an IPv4 network that has one. */
function broadcast(bytes: Uint8Array, prefix: number): Uint8Array | undefined {
  if (bytes.length !== 4 || prefix > 30) return undefined;
  const view = new DataView(bytes.slice().buffer);
  view.setUint32(0, (view.getUint32(0) | (0xffffffff >>> prefix)) >>> 0);
  return new Uint8Array(view.buffer);
}

/** `subnetRoute` false: the kernel makes no route to the address's subnet. */
export function newAddressMessage(linkIndex: number, cidr: string, { replace = false, subnetRoute = true } = {}): Buffer {
  const { address, prefix } = parseCidr(cidr);
  const bytes = ipToBytes(address);
  const attrs: Attribute[] = [
    [IFA.LOCAL, bytes],
    [IFA.ADDRESS, bytes],
  ];
  const all = broadcast(bytes, prefix);
  if (all) attrs.push([IFA.BROADCAST, all]);
  const flags = (bytes.length === 16 ? IFA_F_NODAD : 0) | (subnetRoute ? 0 : IFA_F_NOPREFIXROUTE);
  if (flags !== 0) attrs.push([IFA.FLAGS, u32(flags)]);
  return encodeMessage(
    RTM.NEWADDR,
    NLM_F_ACK | NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
    ifaddrmsg(bytes.length === 4 ? AF_INET : AF_INET6, prefix, linkIndex),
    attrs,
  );
}

export function deleteAddressMessage(linkIndex: number, cidr: string): Buffer {
  const { address, prefix } = parseCidr(cidr);
  const bytes = ipToBytes(address);
  return encodeMessage(RTM.DELADDR, NLM_F_ACK, ifaddrmsg(bytes.length === 4 ? AF_INET : AF_INET6, prefix, linkIndex), [[IFA.LOCAL, bytes]]);
}

/** `family`: AF_INET or AF_INET6; 0: both. */
export function listAddressesMessage(family = 0): Buffer {
  return encodeMessage(RTM.GETADDR, NLM_F_DUMP, ifaddrmsg(family, 0, 0));
}

export function decodeAddress(body: Uint8Array): AddressInfo {
  const fixed = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const attrs = decodeAttributes(body.subarray(8));
  const bytes = attrs.get(IFA.LOCAL) ?? attrs.get(IFA.ADDRESS);
  return { linkIndex: fixed.readInt32LE(4), address: bytes ? bytesToIp(bytes) : '', prefix: fixed.readUInt8(1), scope: fixed.readUInt8(3) };
}
