import type { FieldError } from '../field-error.js';
import type { IPBlock, LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/types.js';
import { each, optionalEnum, validateLabelSelector, validatePortNumOrName } from './common.js';
import { forbidden, invalid, invalids, required } from './errors.js';
import { canonicalIP, cidrWarnings, parseCIDR, validateCIDR } from './ip.js';
import { isPortNumber } from './names.js';

/** Ranges of a stored policy, which may stay, and whether its selectors' values may. */
interface Known {
  readonly cidrs: ReadonlySet<string>;
  readonly anyValue: boolean;
}

const peersOf = ({ spec }: NetworkPolicy): NetworkPolicyPeer[] => [
  ...(spec?.ingress ?? []).flatMap(({ from }) => from ?? []),
  ...(spec?.egress ?? []).flatMap(({ to }) => to ?? []),
];

const NOTHING: Known = { cidrs: new Set(), anyValue: false };

const knownOf = (old: NetworkPolicy): Known => ({
  cidrs: new Set(peersOf(old).flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []))),
  anyValue: validateLabelSelector(old.spec?.podSelector, '').length > 0,
});

export function validateNetworkPolicy({ spec }: NetworkPolicy, old?: NetworkPolicy): FieldError[] {
  if (!spec) return [];
  const known = old ? knownOf(old) : NOTHING;
  const errors = validateSelector(spec.podSelector, 'spec.podSelector', known);
  const peers = (list: readonly NetworkPolicyPeer[] | undefined, path: string) => each(list, path, (peer, at) => validatePeer(peer, at, known));
  errors.push(
    ...each(spec.ingress, 'spec.ingress', ({ ports, from }, path) => [...each(ports, `${path}.ports`, validatePolicyPort), ...peers(from, `${path}.from`)]),
    ...each(spec.egress, 'spec.egress', ({ ports, to }, path) => [...each(ports, `${path}.ports`, validatePolicyPort), ...peers(to, `${path}.to`)]),
  );
  if ((spec.policyTypes ?? []).length > 2) {
    return [...errors, invalid('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes')];
  }
  return [...errors, ...each(spec.policyTypes, 'spec.policyTypes', (type, path) => optionalEnum(type, path, ['Ingress', 'Egress']))];
}

function validateSelector(selector: LabelSelector | undefined, field: string, { anyValue }: Known): FieldError[] {
  const errors = validateLabelSelector(selector, field);
  return anyValue ? errors.filter((error) => !/\.values\[\d+\]$/.test(error.field)) : errors;
}

function validatePolicyPort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  const errors = optionalEnum(protocol, `${field}.protocol`, ['TCP', 'UDP', 'SCTP']);
  const path = `${field}.endPort`;
  if (port === undefined) return endPort === undefined ? errors : [...errors, invalid(path, endPort, 'may not be specified when `port` is not specified')];
  if (typeof port === 'string') {
    if (endPort !== undefined) errors.push(invalid(path, endPort, 'may not be specified when `port` is non-numeric'));
    return [...errors, ...validatePortNumOrName(port, `${field}.port`)];
  }
  errors.push(...validatePortNumOrName(port, `${field}.port`));
  if (endPort === undefined) return errors;
  if (endPort < port) errors.push(invalid(path, endPort, 'must be greater than or equal to `port`'));
  return [...errors, ...invalids(path, endPort, isPortNumber(endPort))];
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, field: string, known: Known): FieldError[] {
  const errors = [
    ...validateSelector(podSelector, `${field}.podSelector`, known),
    ...validateSelector(namespaceSelector, `${field}.namespaceSelector`, known),
    ...(ipBlock ? validateBlock(ipBlock, `${field}.ipBlock`, known) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(field, 'must specify a peer')];
  if (ipBlock && (podSelector || namespaceSelector)) return [...errors, forbidden(field, 'may not specify both ipBlock and another peer')];
  return errors;
}

function validateBlock({ cidr, except }: IPBlock, field: string, { cidrs }: Known): FieldError[] {
  if (!cidr) return [required(`${field}.cidr`)];
  const check = (range: string, path: string): FieldError[] => (cidrs.has(range) ? [] : validateCIDR(range, path));
  const errors = check(cidr, `${field}.cidr`);
  const outer = parseCIDR(cidr);
  if (!outer) return errors;
  return [
    ...errors,
    ...each(except, `${field}.except`, (inner, path) => {
      const parsed = parseCIDR(inner);
      if (!parsed) return check(inner, path);
      const inside = parsed.family === outer.family && parsed.prefix > outer.prefix && samePrefix(parsed.address, outer.address, outer.prefix, outer.family);
      return inside ? [] : [invalid(path, inner, 'must be a strict subset of `cidr`')];
    }),
  ];
}

/** Ranges that should be written otherwise. */
export function networkPolicyWarnings({ spec }: NetworkPolicy): string[] {
  const ofPeers = (peers: readonly NetworkPolicyPeer[] | undefined, path: string): string[] =>
    (peers ?? []).flatMap(({ ipBlock }, index) => {
      if (!ipBlock) return [];
      const at = `${path}[${index}].ipBlock`;
      return [...cidrWarnings(ipBlock.cidr, `${at}.cidr`), ...(ipBlock.except ?? []).flatMap((range, which) => cidrWarnings(range, `${at}.except[${which}]`))];
    });
  return [
    ...(spec?.ingress ?? []).flatMap(({ from }, index) => ofPeers(from, `spec.ingress[${index}].from`)),
    ...(spec?.egress ?? []).flatMap(({ to }, index) => ofPeers(to, `spec.egress[${index}].to`)),
  ];
}

function samePrefix(a: string, b: string, bits: number, family: 'IPv4' | 'IPv6'): boolean {
  const shift = BigInt((family === 'IPv4' ? 32 : 128) - bits);
  return toBits(plain(a), family) >> shift === toBits(plain(b), family) >> shift;
}

/** Without zeros in front. */
const plain = (address: string): string => (/^[\d.]+$/.test(address) ? address.split('.').map(Number).join('.') : canonicalIP(address));

function toBits(address: string, family: 'IPv4' | 'IPv6'): bigint {
  if (family === 'IPv4') return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
