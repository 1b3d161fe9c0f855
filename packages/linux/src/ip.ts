import { isIPv4, isIPv6 } from 'node:net';

/** Network-order bytes of an address: 4 for IPv4, 16 for IPv6. Throws `TypeError` for anything else. */
export function ipToBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  const bare = address.split('%')[0] ?? '';
  if (!isIPv6(bare)) throw new TypeError(`not an IP address: ${JSON.stringify(address)}`);
  const [head = '', tail] = bare.split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
          return [(a << 8) | b, (c << 8) | d];
        });
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  const out = new Uint8Array(16);
  all.forEach((group, i) => {
    out[2 * i] = group >> 8;
    out[2 * i + 1] = group & 0xff;
  });
  return out;
}

/** The canonical text (RFC 5952) of 4 or 16 bytes. */
export function bytesToIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

export interface Cidr {
  readonly address: string;
  readonly prefix: number;
}

/** `10.0.0.1/24`; without a prefix the whole address counts. */
export function parseCidr(text: string): Cidr {
  const [address = '', prefixText] = text.split('/');
  const bits = ipToBytes(address).length * 8;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits || prefixText === '') throw new TypeError(`not a CIDR: ${JSON.stringify(text)}`);
  return { address, prefix };
}
