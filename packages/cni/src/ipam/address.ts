import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number, with its family: arithmetic on ranges is plain arithmetic. */
export interface IpNumber {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export const BITS = { 4: 32, 6: 128 } as const;

export function parseIp(text: string): IpNumber {
  if (isIPv4(text)) {
    return { family: 4, value: text.split('.').reduce((all, part) => (all << 8n) | BigInt(part), 0n) };
  }
  if (!isIPv6(text) || text.includes('%')) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`);
  // The URL parser gives RFC 5952 text, without a dotted tail.
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return { family: 6, value: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) };
}

export function formatIp({ family, value }: IpNumber): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(((value >> shift) & 0xffffn).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

export interface Subnet {
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;
}

export function parseSubnet(text: string): Subnet {
  const [address = '', prefixText = ''] = text.split('/');
  const { family, value } = parseIp(address);
  const prefix = Number(prefixText);
  if (!/^\d+$/.test(prefixText) || prefix > BITS[family]) throw new TypeError(`not a subnet: ${JSON.stringify(text)}`);
  const hostBits = BigInt(BITS[family] - prefix);
  const first = (value >> hostBits) << hostBits;
  return { family, prefix, first, last: first + (1n << hostBits) - 1n };
}

export function subnetContains(subnet: Subnet, ip: IpNumber): boolean {
  return subnet.family === ip.family && ip.value >= subnet.first && ip.value <= subnet.last;
}
