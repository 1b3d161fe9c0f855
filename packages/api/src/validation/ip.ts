import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { FieldError } from '../field-error.js';
import { invalid } from './errors.js';

const NOT_AN_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** An address, be it written with zeros in front of its numbers, as fields from before that was frowned upon take it. */
export const validateIP = (value: string, field: string): FieldError[] => (isAddress(value) ? [] : [invalid(field, value, NOT_AN_IP)]);

/** In whatever notation. */
export const isAddress = (value: string): boolean => (isIP(value) !== 0 && !value.includes('%')) || isPaddedIPv4(value);

const isPaddedIPv4 = (value: string): boolean => /^\d+(\.\d+){3}$/.test(value) && value.split('.').every((part) => Number(part) <= 255);

/** Two addresses, one of each family. */
export const isDualStack = ([a = '', b = '', ...rest]: readonly string[]): boolean => rest.length === 0 && isIPv6(a) !== isIPv6(b);

export const isIPFamily = (value: string, family: 'IPv4' | 'IPv6'): boolean => (family === 'IPv4' ? isIPv4(value) : isIPv6(value));

export function parseCIDR(value: string): { readonly address: string; readonly prefix: number; readonly family: 'IPv4' | 'IPv6' } | undefined {
  const [address = '', length = '', ...rest] = value.split('/');
  const version = isPaddedIPv4(address) ? 4 : address.includes('%') ? 0 : isIP(address);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = Number(length);
  if (prefix > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: version === 4 ? 'IPv4' : 'IPv6' };
}

export const validateCIDR = (value: string, field: string): FieldError[] => (parseCIDR(value) === undefined ? [invalid(field, value, NOT_A_CIDR)] : []);

const numberOf = (address: string): bigint =>
  isPaddedIPv4(address)
    ? address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
    : groups(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);

/** A network, not an address in one. */
export function validateNetwork(value: string, field: string): FieldError[] {
  const cidr = parseCIDR(value);
  if (cidr === undefined) return [invalid(field, value, NOT_A_CIDR)];
  const host = (cidr.family === 'IPv4' ? 32 : 128) - cidr.prefix;
  if ((numberOf(cidr.address) & ((1n << BigInt(host)) - 1n)) !== 0n) return [invalid(field, value, 'must not have bits set beyond the prefix length')];
  const canonical = `${canonicalIP(cidr.address)}/${cidr.prefix}`;
  return canonical === value ? [] : [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

/** What is wrong with an address as a name. */
export function isIPName(value: string): string[] {
  if (isIP(value) === 0 || value.includes('%')) return [NOT_AN_IP];
  const canonical = canonicalIP(value);
  return canonical === value ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** The 16-bit groups of an IPv6 address. */
function groups(address: string): number[] {
  let text = address;
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [, a, b, c, d] = dotted.map(Number) as [number, number, number, number, number];
    text = `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** The RFC 5952 form. */
export function canonicalIP(address: string): string {
  if (isIPv4(address)) return address.split('.').map(Number).join('.');
  const all = groups(address);
  let start = -1;
  let length = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && all[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = all.map((group) => group.toString(16));
  if (start < 0) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** How an address that is taken should rather be written. */
export function ipWarnings(value: string, field: string): string[] {
  if (!isIPv6(value)) {
    if (isIPv4(value) || !isPaddedIPv4(value)) return [];
    const plain = value.split('.').map(Number).join('.');
    return [`${field}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use "${plain}"`];
  }
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(value)?.[1];
  if (mapped) return [`${field}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use "${mapped}"`];
  const canonical = canonicalIP(value);
  return canonical === value ? [] : [`${field}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format ("${canonical}")`];
}

/** The same of a range of addresses. */
export function cidrWarnings(value: string, field: string): string[] {
  const cidr = parseCIDR(value);
  if (!cidr) return [];
  const { address, prefix, family } = cidr;
  const host = (1n << BigInt((family === 'IPv4' ? 32 : 128) - prefix)) - 1n;
  const number = numberOf(address);
  const shown = JSON.stringify(value);
  const later = 'will be considered invalid in a future Kubernetes release';
  const plain = canonicalIP(isPaddedIPv4(address) ? address.split('.').map(Number).join('.') : address);
  if ((number & host) !== 0n) {
    const network = canonicalIP(addressOf(number & ~host, family));
    return [`${field}: CIDR value ${shown} is ambiguous in this context (should be "${network}/${prefix}" or "${plain}/${family === 'IPv4' ? 32 : 128}"?)`];
  }
  if (family === 'IPv4' && (!isIPv4(address) || value !== `${address}/${prefix}`))
    return [`${field}: non-standard CIDR value ${shown} ${later}: use "${plain}/${prefix}"`];
  if (family === 'IPv6' && value !== `${plain}/${prefix}`)
    return [`${field}: IPv6 CIDR value ${shown} should be in RFC 5952 canonical format ("${plain}/${prefix}")`];
  return [];
}

function addressOf(number: bigint, family: 'IPv4' | 'IPv6'): string {
  const [bits, count] = family === 'IPv4' ? [8n, 4] : [16n, 8];
  const parts = Array.from({ length: count }, (_, index) => Number((number >> (bits * BigInt(count - 1 - index))) & ((1n << bits) - 1n)));
  return family === 'IPv4' ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}
