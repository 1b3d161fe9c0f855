import { BlockList, isIP } from 'node:net';

/** Whether `inner` (a network) lies within `outer`. False when either is not one. */
export function cidrContains(outer: string, inner: string): boolean {
  const a = parse(outer);
  const b = parse(inner);
  if (!a || !b || a.family !== b.family || b.bits < a.bits) return false;
  const list = new BlockList();
  list.addSubnet(a.address, a.bits, a.family);
  return list.check(b.address, b.family);
}

function parse(cidr: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', size = ''] = cidr.split('/');
  const version = isIP(address);
  const bits = Number(size);
  if (version === 0 || !/^\d+$/.test(size) || bits > (version === 4 ? 32 : 128)) return undefined;
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}
