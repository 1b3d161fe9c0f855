import type { LabelSelector } from '../generated/types.js';
import type { FieldError } from '../field-error.js';
import { compareQuantities, isQuantity } from '../quantity/arithmetic.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required, tooLong } from './errors.js';
import { isLabelValue, isPercent, isPortName, isPortNumber, isQualifiedName, type SyntaxCheck, isDNS1123Subdomain } from './names.js';
import { validateLabels } from './object-meta.js';

const MAX_DRIVER_NAME = 63;
export const NEGATIVE = 'must be greater than or equal to 0';

/** Absent passes. */
export const nonNegative = (value: number | undefined, field: string): FieldError[] =>
  value !== undefined && value < 0 ? [invalid(field, value, NEGATIVE)] : [];

/** Required, and of a syntax. */
export const requiredText = (value: string | undefined, field: string, check?: SyntaxCheck): FieldError[] => {
  if (!value) return [required(field)];
  return check ? invalids(field, value, check(value)) : [];
};

/** Of a syntax when present. */
export const optionalText = (value: string | undefined, field: string, check: SyntaxCheck): FieldError[] => (value ? invalids(field, value, check(value)) : []);

/** Required, and one of a list. */
export const requiredEnum = (value: string | undefined, field: string, supported: readonly string[]): FieldError[] =>
  value ? optionalEnum(value, field, supported) : [required(field)];

export const optionalEnum = (value: string | undefined, field: string, supported: readonly string[]): FieldError[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

/** `Duplicate value` for each repetition. */
export function unique<T>(items: readonly T[], keyOf: (item: T) => string | undefined, fieldOf: (index: number) => string): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (!key) return [];
    if (seen.has(key)) return [duplicate(fieldOf(index), key)];
    seen.add(key);
    return [];
  });
}

/** Of a driver: a subdomain in whatever case, and short enough for a path. */
export function driverName(value: string | undefined, field: string): FieldError[] {
  if (!value) return [required(field)];
  return [...(value.length > MAX_DRIVER_NAME ? [tooLong(field, MAX_DRIVER_NAME)] : []), ...invalids(field, value, isDNS1123Subdomain(value.toLowerCase()))];
}

export const each = <T>(items: readonly T[] | undefined, field: string, check: (item: T, field: string, index: number) => FieldError[]): FieldError[] =>
  (items ?? []).flatMap((item, index) => check(item, `${field}[${index}]`, index));

/** `checkValues` off: what is stored has wrong values already. */
export function validateLabelSelector(selector: LabelSelector | undefined, field: string, checkValues = true): FieldError[] {
  if (!selector) return [];
  return [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...each(selector.matchExpressions, `${field}.matchExpressions`, ({ key, operator, values = [] }, path) => {
      const errors: FieldError[] = [];
      if (operator === 'In' || operator === 'NotIn') {
        if (values.length === 0) errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      } else if (operator === 'Exists' || operator === 'DoesNotExist') {
        if (values.length > 0) {
          errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        }
      } else errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
      return [
        ...errors,
        ...invalids(`${path}.key`, key, isQualifiedName(key)),
        ...(checkValues ? values.flatMap((value, index) => invalids(`${path}.values[${index}]`, value, isLabelValue(value))) : []),
      ];
    }),
  ];
}

export const isEmptySelector = (selector: LabelSelector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;

/** Whether labels fulfil a selector, as the template of a workload must. */
export function selectorMatches(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}

/** A port number or a port name. */
export function validatePortNumOrName(port: number | string | undefined, field: string): FieldError[] {
  if (typeof port === 'string') return invalids(field, port, isPortName(port));
  return invalids(field, port ?? 0, isPortNumber(port ?? 0));
}

/** A count or a percentage; `max` caps the percentage. */
export function validateIntOrPercent(value: number | string | undefined, field: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return nonNegative(value, field);
  return invalids(field, value, isPercent(value));
}

export function notMoreThan100Percent(value: number | string | undefined, field: string): FieldError[] {
  if (typeof value !== 'string' || isPercent(value).length > 0 || Number.parseInt(value, 10) <= 100) return [];
  return [invalid(field, value, 'must not be greater than 100%')];
}

export function nonNegativeQuantity(value: string, field: string): FieldError[] {
  if (!isQuantity(value)) return [invalid(field, value, 'must be a valid quantity')];
  return compareQuantities(value, '0') < 0 ? [invalid(field, value, NEGATIVE)] : [];
}

export function positiveQuantity(value: string, field: string): FieldError[] {
  if (!isQuantity(value)) return [invalid(field, value, 'must be a valid quantity')];
  return compareQuantities(value, '0') <= 0 ? [invalid(field, value, 'must be greater than zero')] : [];
}
