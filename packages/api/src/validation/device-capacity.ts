import type { FieldError } from '../field-error.js';
import type { CapacityRequestPolicyRange, Device } from '../generated/types.js';
import { parseQuantity } from '../quantity/quantity.js';
import { forbidden, invalid, required, tooMany } from './errors.js';

const MAX_VALID_VALUES = 10;

/** How shares of a device may be cut. */
export function validateCapacities({ capacity = {}, allowMultipleAllocations }: Partial<Device>, field: string): FieldError[] {
  return Object.entries(capacity).flatMap(([name, { value, requestPolicy }]) => {
    if (!requestPolicy) return [];
    const at = `${field}.capacity[${name}].requestPolicy`;
    if (!allowMultipleAllocations) return [forbidden(at, 'allowMultipleAllocations must be true')];
    const { default: usual, validValues = [], validRange } = requestPolicy;
    const nanos = (quantity: string) => parseQuantity(quantity).nanos;
    const most = nanos(value);
    const errors: FieldError[] = [];
    if ((validValues.length > 0 || validRange) && usual === undefined)
      errors.push(required(`${at}.default`, 'required when validValues or validRange is defined'));
    if (validValues.length > 0 && validRange)
      errors.push(forbidden(`${at}.validRange`, 'exactly one policy can be specified, cannot specify `validValues` and `validRange` at the same time'));
    if (usual !== undefined && nanos(usual) > most) errors.push(invalid(`${at}.default`, usual, `default value is larger than the capacity value ${value}`));
    if (validValues.length > MAX_VALID_VALUES) errors.push(tooMany(`${at}.validValues`, validValues.length, MAX_VALID_VALUES));
    for (const [i, valid] of validValues.entries()) {
      if (nanos(valid) > most) errors.push(invalid(`${at}.validValues[${i}]`, valid, `option is larger than the capacity value ${value}`));
      if (i > 0 && nanos(valid) <= nanos(validValues[i - 1] ?? '0'))
        errors.push(invalid(`${at}.validValues[${i}]`, valid, 'values must be sorted in ascending order'));
    }
    if (usual !== undefined && validValues.length > 0 && !validValues.some((valid) => nanos(valid) === nanos(usual)))
      errors.push(invalid(`${at}.default`, usual, 'default value is not valid according to the requestPolicy'));
    if (validRange) errors.push(...validateRange(validRange, usual, most, `${at}.validRange`));
    return errors;
  });
}

function validateRange({ min, max, step }: CapacityRequestPolicyRange, usual: string | undefined, most: bigint, field: string): FieldError[] {
  const nanos = (quantity: string) => parseQuantity(quantity).nanos;
  if (min === undefined) return [required(`${field}.min`)];
  const errors: FieldError[] = [];
  const least = nanos(min);
  if (least > most) errors.push(invalid(`${field}.min`, min, 'min is larger than the capacity value'));
  if (max !== undefined && nanos(max) > most) errors.push(invalid(`${field}.max`, max, 'max is larger than the capacity value'));
  if (max !== undefined && nanos(max) < least) errors.push(invalid(`${field}.min`, min, 'min is larger than max'));
  if (usual !== undefined && (nanos(usual) < least || (max !== undefined && nanos(usual) > nanos(max))))
    errors.push(invalid(`${field}`, usual, 'default value is outside of the range'));
  if (step === undefined) return errors;
  if (nanos(step) <= 0n) return [...errors, invalid(`${field}.step`, step, 'must be greater than zero')];
  if (least + nanos(step) > most) errors.push(invalid(`${field}.step`, step, 'one step above min is larger than the capacity value'));
  for (const [what, value] of Object.entries({ max, default: usual }))
    if (value !== undefined && (nanos(value) - least) % nanos(step) !== 0n)
      errors.push(invalid(`${field}.step`, value, `${what} is not a multiple of a given step (${step}) from (${min})`));
  return errors;
}
