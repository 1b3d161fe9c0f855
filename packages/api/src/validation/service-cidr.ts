import type { FieldError } from '../field-error.js';
import type { IPAddress, ServiceCIDR } from '../generated/types.js';
import { each, optionalText, requiredText } from './common.js';
import { invalid, required } from './errors.js';
import { parseCIDR, validateNetwork } from './ip.js';
import { isDNS1123Subdomain, isPathSegment, type SyntaxCheck } from './names.js';
import { immutable } from './object-meta.js';

const FIELD = 'spec.cidrs';
const IMMUTABLE = 'field is immutable';

export function validateServiceCIDR({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required(FIELD, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid(FIELD, spec, 'may only hold up to 2 values')];
  const errors = each(cidrs, FIELD, (cidr, path) => validateNetwork(cidr, path));
  const [first, second] = cidrs.map((cidr) => parseCIDR(cidr)?.family);
  if (cidrs.length === 2 && first !== undefined && first === second) {
    errors.push(invalid(FIELD, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'));
  }
  return errors;
}

/** One of the other family may be added, and nothing else changed. */
export function validateServiceCIDRUpdate({ spec }: ServiceCIDR, { spec: before }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  const old = before?.cidrs ?? [];
  if (cidrs.length !== old.length && !(old.length === 1 && cidrs.length === 2)) return [invalid(FIELD, cidrs, IMMUTABLE)];
  return old.flatMap((cidr, index) => (cidr === cidrs[index] ? [] : [invalid(`${FIELD}[${index}]`, cidrs[index], IMMUTABLE)]));
}

const segment: SyntaxCheck = (text) => isPathSegment(text, false);

export function validateIPAddress({ spec }: IPAddress): FieldError[] {
  const field = 'spec.parentRef';
  if (!spec?.parentRef) return [required(field)];
  const { group, resource, name, namespace } = spec.parentRef;
  return [
    ...optionalText(group, `${field}.group`, isDNS1123Subdomain),
    ...requiredText(resource, `${field}.resource`, segment),
    ...requiredText(name, `${field}.name`, segment),
    ...optionalText(namespace, `${field}.namespace`, segment),
  ];
}

export const validateIPAddressUpdate = ({ spec }: IPAddress, { spec: old }: IPAddress): FieldError[] =>
  immutable(spec?.parentRef, old?.parentRef, 'spec.parentRef');
