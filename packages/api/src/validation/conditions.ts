import type { FieldError } from '../field-error.js';
import type { Condition } from '../generated/types.js';
import { each } from './common.js';
import { duplicate, invalid, invalids, notSupported, required, tooLong } from './errors.js';
import { byteLength, isQualifiedName, regexError } from './names.js';

const STATUSES = ['False', 'True', 'Unknown'];
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON_RULE =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
const reasonRegExp = new RegExp(`^(?:${REASON})$`);

/** Conditions of the common type, one of each type. */
export function validateConditions(conditions: readonly Condition[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(conditions, field, (condition, path) => {
    const errors = validateCondition(condition, path);
    if (seen.has(condition.type)) errors.unshift(duplicate(`${path}.type`, condition.type));
    seen.add(condition.type);
    return errors;
  });
}

function validateCondition({ type, status, observedGeneration = 0, lastTransitionTime, reason, message }: Condition, field: string): FieldError[] {
  const errors = type ? invalids(`${field}.type`, type, isQualifiedName(type)) : [required(`${field}.type`)];
  if (!STATUSES.includes(status)) errors.push(notSupported(`${field}.status`, status, STATUSES));
  if (observedGeneration < 0) errors.push(invalid(`${field}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
  if (!lastTransitionTime) errors.push(required(`${field}.lastTransitionTime`));
  if (!reason) errors.push(required(`${field}.reason`));
  else {
    if (!reasonRegExp.test(reason)) {
      errors.push(invalid(`${field}.reason`, reason, regexError(REASON_RULE, REASON, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')));
    }
    if (byteLength(reason) > MAX_REASON) errors.push(tooLong(`${field}.reason`, MAX_REASON));
  }
  if (byteLength(message ?? '') > MAX_MESSAGE) errors.push(tooLong(`${field}.message`, MAX_MESSAGE));
  return errors;
}
