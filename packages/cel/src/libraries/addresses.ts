import { BlockList, isIP } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import { isGlobalUnicast } from '@coxswain/apimachinery';
import { isCidr } from '../formats.js';

class Ip {
  constructor(readonly text: string) {}

  get family(): 4 | 6 {
    return isIP(this.text) as 4 | 6;
  }
}

class Cidr {
  constructor(readonly text: string) {}

  get ip(): Ip {
    return new Ip(this.text.slice(0, this.text.indexOf('/')));
  }

  get prefix(): number {
    return Number(this.text.slice(this.text.indexOf('/') + 1));
  }
}

/** The bits of an address as one number. */
export function addressBits(text: string): bigint {
  if (isIP(text) === 4) return text.split('.').reduce((bits, part) => bits * 256n + BigInt(part), 0n);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : text;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const left = groups(head);
  const right = groups(tail);
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}

function addressText(bits: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 65_535n).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const inRange = (ip: Ip, range: string): boolean => {
  const cidr = new Cidr(range);
  return ip.family === cidr.ip.family && contains(cidr, ip);
};

function contains(cidr: Cidr, ip: Ip): boolean {
  if (cidr.ip.family !== ip.family) return false;
  const list = new BlockList();
  const family = ip.family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(cidr.ip.text, cidr.prefix, family);
  return list.check(ip.text, family);
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%') && !/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(text);
const canonical = (ip: Ip): string => addressText(addressBits(ip.text), ip.family);

function toIp(text: string): Ip {
  if (!isAddress(text)) throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new Ip(text);
}

function toCidr(text: string): Cidr {
  if (!isCidr(text)) throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`);
  return new Cidr(text);
}

/** Kubernetes' IP and CIDR libraries. */
export function registerAddresses(env: Environment): void {
  class IpNamespace {}
  env.registerType('net.IP', Ip);
  env.registerType('net.CIDR', Cidr);
  env.registerType('IpNamespace', IpNamespace);
  env.registerConstant('ip', 'IpNamespace', new IpNamespace());
  env.registerFunction('ip(string): net.IP', toIp);
  env.registerFunction('isIP(string): bool', isAddress);
  env.registerFunction('IpNamespace.isCanonical(string): bool', (_: IpNamespace, text: string) => canonical(toIp(text)) === text);
  env.registerFunction('net.IP.family(): int', (ip: Ip) => BigInt(ip.family));
  env.registerFunction('net.IP.isUnspecified(): bool', (ip: Ip) => addressBits(ip.text) === 0n);
  env.registerFunction('net.IP.isLoopback(): bool', (ip: Ip) => inRange(ip, '127.0.0.0/8') || inRange(ip, '::1/128'));
  env.registerFunction('net.IP.isLinkLocalMulticast(): bool', (ip: Ip) => inRange(ip, '224.0.0.0/24') || inRange(ip, 'ff02::/16'));
  env.registerFunction('net.IP.isLinkLocalUnicast(): bool', (ip: Ip) => inRange(ip, '169.254.0.0/16') || inRange(ip, 'fe80::/10'));
  env.registerFunction('net.IP.isGlobalUnicast(): bool', (ip: Ip) => isGlobalUnicast(ip.text));
  env.registerFunction('string(net.IP): string', canonical);
  env.registerOperator('net.IP == net.IP', (a: Ip, b: Ip) => a.family === b.family && addressBits(a.text) === addressBits(b.text));
  env.registerFunction('cidr(string): net.CIDR', toCidr);
  env.registerFunction('isCIDR(string): bool', isCidr);
  env.registerFunction('net.CIDR.containsIP(string): bool', (cidr: Cidr, ip: string) => contains(cidr, toIp(ip)));
  env.registerFunction('net.CIDR.containsIP(net.IP): bool', contains);
  const covers = (cidr: Cidr, other: Cidr) => other.prefix >= cidr.prefix && contains(cidr, other.ip);
  env.registerFunction('net.CIDR.containsCIDR(string): bool', (cidr: Cidr, other: string) => covers(cidr, toCidr(other)));
  env.registerFunction('net.CIDR.containsCIDR(net.CIDR): bool', covers);
  env.registerFunction('net.CIDR.ip(): net.IP', (cidr: Cidr) => cidr.ip);
  env.registerFunction('net.CIDR.prefixLength(): int', (cidr: Cidr) => BigInt(cidr.prefix));
  env.registerFunction('net.CIDR.masked(): net.CIDR', (cidr: Cidr) => {
    const width = cidr.ip.family === 4 ? 32n : 128n;
    const rest = width - BigInt(cidr.prefix);
    return new Cidr(`${addressText((addressBits(cidr.ip.text) >> rest) << rest, cidr.ip.family)}/${cidr.prefix}`);
  });
  env.registerFunction('string(net.CIDR): string', (cidr: Cidr) => `${canonical(cidr.ip)}/${cidr.prefix}`);
  env.registerOperator('net.CIDR == net.CIDR', (a: Cidr, b: Cidr) => a.prefix === b.prefix && canonical(a.ip) === canonical(b.ip));
}
