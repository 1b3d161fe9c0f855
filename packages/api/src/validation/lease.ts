import type { FieldError } from '../field-error.js';
import type { Lease } from '../generated/types.js';
import { invalid, required } from './errors.js';
import { isQualifiedName } from './names.js';

export function validateLease({ spec = {} }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'));
  }
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (spec.strategy !== undefined && spec.strategy !== 'OldestEmulationVersion' && isQualifiedName(spec.strategy).length > 0) {
    errors.push(invalid('spec.strategy', spec.strategy, 'must be a known strategy or a qualified name'));
  }
  if (spec.preferredHolder && !spec.strategy) errors.push(required('spec.strategy', 'must be specified when preferredHolder is specified'));
  return errors;
}
