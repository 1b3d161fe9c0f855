import type { FieldError } from '../field-error.js';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/types.js';
import { each, optionalEnum, validateLabelSelector, validatePortNumOrName } from './common.js';
import { forbidden, invalid, invalids, required } from './errors.js';
import { canonicalIP, parseCIDR, validateCIDR } from './ip.js';
import { isPortNumber } from './names.js';

export function validateNetworkPolicy({ spec }: NetworkPolicy): FieldError[] {
  if (!spec) return [];
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector');
  errors.push(
    ...each(spec.ingress, 'spec.ingress', ({ ports, from }, path) => [
      ...each(ports, `${path}.ports`, validatePolicyPort),
      ...each(from, `${path}.from`, validatePeer),
    ]),
    ...each(spec.egress, 'spec.egress', ({ ports, to }, path) => [
      ...each(ports, `${path}.ports`, validatePolicyPort),
      ...each(to, `${path}.to`, validatePeer),
    ]),
  );
  if ((spec.policyTypes ?? []).length > 2) {
    return [...errors, invalid('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes')];
  }
  return [...errors, ...each(spec.policyTypes, 'spec.policyTypes', (type, path) => optionalEnum(type, path, ['Egress', 'Ingress']))];
}

function validatePolicyPort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  const errors = optionalEnum(protocol, `${field}.protocol`, ['SCTP', 'TCP', 'UDP']);
  if (port === undefined) {
    if (endPort !== undefined) errors.push(required(`${field}.port`, 'must be specified when `endPort` is specified'));
    return errors;
  }
  errors.push(...validatePortNumOrName(port, `${field}.port`));
  if (endPort === undefined) return errors;
  if (typeof port === 'string') return [...errors, invalid(`${field}.port`, port, 'may not specify endPort when port is a named port')];
  if (endPort < port) errors.push(invalid(`${field}.endPort`, port, 'must be greater than or equal to `port`'));
  return [...errors, ...invalids(`${field}.endPort`, endPort, isPortNumber(endPort))];
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, field: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(podSelector, `${field}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, `${field}.ipBlock`) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(field, 'must specify a peer')];
  if (ipBlock && (podSelector || namespaceSelector)) return [...errors, forbidden(field, 'may not specify both ipBlock and another peer')];
  return errors;
}

function validateBlock({ cidr, except }: IPBlock, field: string): FieldError[] {
  if (!cidr) return [required(`${field}.cidr`)];
  const wrong = validateCIDR(cidr, `${field}.cidr`);
  const outer = parseCIDR(cidr);
  if (!outer) return wrong;
  return each(except, `${field}.except`, (inner, path) => {
    const parsed = parseCIDR(inner);
    if (!parsed) return validateCIDR(inner, path);
    const inside = parsed.family === outer.family && parsed.prefix > outer.prefix && samePrefix(parsed.address, outer.address, outer.prefix, outer.family);
    return inside ? [] : [invalid(path, inner, `must be a strict subset of \`cidr\``)];
  });
}

function samePrefix(a: string, b: string, bits: number, family: 'IPv4' | 'IPv6'): boolean {
  const shift = BigInt((family === 'IPv4' ? 32 : 128) - bits);
  return toBits(canonicalIP(a), family) >> shift === toBits(canonicalIP(b), family) >> shift;
}

function toBits(address: string, family: 'IPv4' | 'IPv6'): bigint {
  if (family === 'IPv4') return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
