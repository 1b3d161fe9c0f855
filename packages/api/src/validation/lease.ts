import type { FieldError } from '../field-error.js';
import type { Lease } from '../generated/types.js';
import { optionalEnum } from './common.js';
import { forbidden, invalid, invalids } from './errors.js';
import { isQualifiedName } from './names.js';

export function validateLease({ spec = {} }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'));
  }
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (spec.strategy !== undefined) {
    // The path names the field twice, as upstream has it.
    const field = 'spec.strategy.strategy';
    if (spec.strategy.includes('/')) errors.push(...invalids(field, spec.strategy, isQualifiedName(spec.strategy)));
    else errors.push(...optionalEnum(spec.strategy, field, ['OldestEmulationVersion']));
  }
  if (spec.preferredHolder && !spec.strategy) errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  return errors;
}
