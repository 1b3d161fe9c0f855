import type { FieldError } from '@coxswain/api';
import { formatFieldErrors } from '../status/field-errors.js';
import { labelKeyErrors, labelValueErrors } from './label-syntax.js';

export type Labels = Readonly<Record<string, string>>;
export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on labels. `values` is a set: sorted, without duplicates when parsed. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const INT64 = /^[+-]?[0-9]+$/;

/** As Go's ParseInt(s, 10, 64); undefined when it is not one. */
export function parseInt64(text: string): bigint | undefined {
  if (!INT64.test(text)) return undefined;
  const n = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return n >= -(2n ** 63n) && n < 2n ** 63n ? n : undefined;
}

/** Make a checked requirement; throws `SelectorError` with upstream's text. */
export function labelRequirement(key: string, operator: SelectorOperator, values: readonly string[]): LabelRequirement {
  const errors: FieldError[] = [];
  const invalid = (field: string, value: unknown, why: string) =>
    errors.push({ type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` });
  const keyErrors = labelKeyErrors(key);
  if (keyErrors.length > 0) invalid('key', key, keyErrors.join('; '));
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) invalid('values', values, "for 'in', 'notin' operators, values set can't be empty");
      break;
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) invalid('values', values, 'exact-match compatibility requires one single value');
      break;
    case 'exists':
    case '!':
      if (values.length !== 0) invalid('values', values, 'values set must be empty for exists and does not exist');
      break;
    case 'gt':
    case 'lt':
      if (values.length !== 1) invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required");
      values.forEach((v, i) => {
        if (parseInt64(v) === undefined) invalid(`values[${i}]`, v, "for 'Gt', 'Lt' operators, the value must be an integer");
      });
  }
  values.forEach((v, i) => {
    const why = labelValueErrors(v);
    if (why.length > 0) invalid(`values[${i}][${key}]`, v, why.join('; '));
  });
  if (errors.length > 0) throw new SelectorError(formatFieldErrors(errors));
  return { key, operator, values };
}

/** A requirement compiled to a closure: nothing is looked up or converted again per match. */
export function compileRequirement({ key, operator, values }: LabelRequirement): (labels: Labels) => boolean {
  switch (operator) {
    case '=':
    case '==':
    case 'in': {
      if (values.length === 1) {
        const only = values[0];
        return (l) => l[key] === only;
      }
      const set = new Set(values);
      return (l) => {
        const v = l[key];
        return v !== undefined && set.has(v);
      };
    }
    case '!=':
    case 'notin': {
      if (values.length === 1) {
        const only = values[0];
        return (l) => l[key] !== only;
      }
      const set = new Set(values);
      return (l) => {
        const v = l[key];
        return v === undefined || !set.has(v);
      };
    }
    case 'exists':
      return (l) => typeof l[key] === 'string';
    case '!':
      return (l) => typeof l[key] !== 'string';
    case 'gt':
    case 'lt': {
      const bound = parseInt64(values[0] ?? '');
      return (l) => {
        const v = l[key];
        const n = v === undefined ? undefined : parseInt64(v);
        if (n === undefined || bound === undefined) return false;
        return operator === 'gt' ? n > bound : n < bound;
      };
    }
  }
}

const SIGN: Partial<Record<SelectorOperator, string>> = { '=': '=', '==': '==', '!=': '!=', gt: '>', lt: '<' };

export function formatRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key;
  if (operator === '!') return `!${key}`;
  const list = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '');
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${list})`;
  return `${key}${SIGN[operator]}${list}`;
}
