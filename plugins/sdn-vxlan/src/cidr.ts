import { type Cidr, ipToBytes, parseCidr } from '@coxswain/linux';

const number = (address: string) => ipToBytes(address).reduce((sum, byte) => sum * 256 + byte, 0);

function range(cidr: string | Cidr): readonly [first: number, last: number] {
  const { address, prefix } = typeof cidr === 'string' ? parseCidr(cidr) : cidr;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(number(address) / size) * size;
  return [first, first + size - 1];
}

/** IPv4. Whether an address is of a network, or a network inside another. */
export function within(inner: string, outer: string): boolean {
  const [first, last] = range(inner.includes('/') ? inner : `${inner}/32`);
  const [from, to] = range(outer);
  return first >= from && last <= to;
}

export function overlap(a: string, b: string): boolean {
  const [aFirst, aLast] = range(a);
  const [bFirst, bLast] = range(b);
  return aFirst <= bLast && bFirst <= aLast;
}

/** `10.244.3.0/24` → `10.244.3.0`, the address no pod gets. */
export function networkAddress(cidr: string): string {
  const [first] = range(cidr);
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
}
