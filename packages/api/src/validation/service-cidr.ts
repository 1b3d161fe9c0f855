import type { FieldError } from '../field-error.js';
import type { IPAddress, ServiceCIDR } from '../generated/types.js';
import { each, requiredText } from './common.js';
import { invalid, required } from './errors.js';
import { parseCIDR, validateCIDR } from './ip.js';
import { immutable } from './object-meta.js';

export function validateServiceCIDR({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid('spec', spec, 'may only hold up to 2 values')];
  const errors = each(cidrs, 'spec.cidrs', (cidr, path) => validateCIDR(cidr, path));
  if (cidrs.length === 2 && parseCIDR(cidrs[0] ?? '')?.family === parseCIDR(cidrs[1] ?? '')?.family) {
    errors.push(invalid('spec', spec, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'));
  }
  return errors;
}

export const validateServiceCIDRUpdate = ({ spec }: ServiceCIDR, { spec: old }: ServiceCIDR): FieldError[] => immutable(spec?.cidrs, old?.cidrs, 'spec.cidrs');

export function validateIPAddress({ spec }: IPAddress): FieldError[] {
  if (!spec?.parentRef) return [required('spec.parentRef')];
  return [...requiredText(spec.parentRef.resource, 'spec.parentRef.resource'), ...requiredText(spec.parentRef.name, 'spec.parentRef.name')];
}

export const validateIPAddressUpdate = ({ spec }: IPAddress, { spec: old }: IPAddress): FieldError[] =>
  immutable(spec?.parentRef, old?.parentRef, 'spec.parentRef');
