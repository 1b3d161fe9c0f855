import { isIPv4, isIPv6 } from 'node:net';

/** The eight groups of an IPv6 address, or the four bytes of an IPv4 one. */
function groups(ip: string): number[] {
  if (isIPv4(ip)) return ip.split('.').map(Number);
  // An embedded IPv4 tail becomes two groups.
  const text = ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) => {
    const hex = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${hex(a, b)}:${hex(c, d)}`;
  });
  const [head = '', tail] = text.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** One spelling per address: lower case, no leading zeros, nothing left out. */
export function canonicalAddress(ip: string): string {
  return isIPv6(ip)
    ? groups(ip)
        .map((g) => g.toString(16))
        .join(':')
    : ip;
}

/** `4.3.2.1.in-addr.arpa` or the nibbles under `ip6.arpa` as a canonical address; undefined for anything else. */
export function addressOfReverseName(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    return isIPv4(ip) ? ip : undefined;
  }
  if (!name.endsWith('.ip6.arpa')) return undefined;
  const nibbles = name.slice(0, -'.ip6.arpa'.length).split('.').reverse();
  if (nibbles.length !== 32 || !nibbles.every((n) => /^[0-9a-f]$/.test(n))) return undefined;
  return canonicalAddress(nibbles.join('').match(/.{4}/g)?.join(':') ?? '');
}

/** An address as one label: `10-1-2-3`, `fd00--1`. */
export function dashedAddress(ip: string): string {
  return ip.toLowerCase().replace(/[.:]/g, '-');
}

/** The address a dashed label stands for; undefined when it stands for none. */
export function addressOfDashes(label: string): string | undefined {
  const v4 = label.replaceAll('-', '.');
  if (isIPv4(v4)) return v4;
  const v6 = label.replaceAll('-', ':');
  return isIPv6(v6) ? v6 : undefined;
}
