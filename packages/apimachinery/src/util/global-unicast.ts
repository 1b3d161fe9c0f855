import { BlockList, isIP } from 'node:net';

const SPECIAL = new BlockList();
SPECIAL.addAddress('0.0.0.0');
SPECIAL.addAddress('255.255.255.255');
SPECIAL.addSubnet('127.0.0.0', 8);
SPECIAL.addSubnet('169.254.0.0', 16);
SPECIAL.addSubnet('224.0.0.0', 4);
SPECIAL.addAddress('::', 'ipv6');
SPECIAL.addAddress('::1', 'ipv6');
SPECIAL.addSubnet('fe80::', 10, 'ipv6');
SPECIAL.addSubnet('ff00::', 8, 'ipv6');

/** Whether this is the address of one machine that may be anywhere: not unspecified, broadcast, loopback, link-local or multicast. As Go's `IP.IsGlobalUnicast`. */
export function isGlobalUnicast(ip: string): boolean {
  const family = isIP(ip);
  return family !== 0 && !SPECIAL.check(ip, family === 6 ? 'ipv6' : 'ipv4');
}
