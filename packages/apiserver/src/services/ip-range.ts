import { BlockList, isIPv4 } from 'node:net';

/** Addresses of a service CIDR, by number. The network's own address, and for IPv4 the broadcast address, are never given. */
export class IpRange {
  readonly family: 'IPv4' | 'IPv6';
  readonly #base: bigint;
  readonly #list = new BlockList();
  /** How many addresses may be given. */
  readonly size: number;

  /** Throws for what is not a CIDR. */
  constructor(readonly cidr: string) {
    const match = /^([0-9a-fA-F:.]+)\/(\d+)$/.exec(cidr);
    const address = match?.[1] ?? '';
    const prefix = Number(match?.[2]);
    this.family = isIPv4(address) ? 'IPv4' : 'IPv6';
    const bits = this.family === 'IPv4' ? 32 : 128;
    if (!match || prefix > bits) throw new Error(`${JSON.stringify(cidr)} is not a CIDR`);
    this.#list.addSubnet(address, prefix, this.family === 'IPv4' ? 'ipv4' : 'ipv6');
    const host = BigInt(bits - prefix);
    this.#base = (toNumber(address) >> host) << host;
    const all = 1n << host;
    const usable = this.family === 'IPv4' ? all - 2n : all - 1n;
    this.size = Number(usable < 65_536n * 16n ? usable : 65_536n * 16n);
    if (this.size < 1) throw new Error(`${cidr} is too small for services`);
  }

  contains(ip: string): boolean {
    return this.#list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
  }

  /** The nth address, from 0: the first is the API server's own service. */
  at(n: number): string {
    return toText(this.#base + 1n + BigInt(n), this.family);
  }
}

function toNumber(ip: string): bigint {
  if (isIPv4(ip)) return ip.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = ip.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((sum, part) => sum * 65_536n + BigInt(Number.parseInt(part, 16)), 0n);
}

function toText(n: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((n >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((n >> BigInt(16 * (7 - i))) & 65_535n).toString(16));
  // The longest run of zeros, of two at least, becomes '::'.
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === '0') length++;
    if (length > best.length) best = { at: i, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}
