/** IPv4 arithmetic for laying out a cluster's networks. Pure. */
export interface Cidr4 {
  readonly base: number;
  readonly bits: number;
}

/** Parse `10.96.0.0/16`; undefined when it is not an IPv4 network in canonical form. */
export function parseCidr4(text: string): Cidr4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (a > 255 || b > 255 || c > 255 || d > 255 || bits > 32) return undefined;
  const base = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return base % 2 ** (32 - bits) === 0 ? { base, bits } : undefined;
}

export function formatIp4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** The n-th address of a network, from its base. */
export function addressAt(cidr: Cidr4, n: number): string {
  return formatIp4(cidr.base + n);
}

export function overlaps(a: Cidr4, b: Cidr4): boolean {
  const bits = Math.min(a.bits, b.bits);
  const size = 2 ** (32 - bits);
  return Math.floor(a.base / size) === Math.floor(b.base / size);
}
