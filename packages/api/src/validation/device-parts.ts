import type { FieldError } from '../field-error.js';
import type { DeviceTaint, DeviceToleration, OpaqueDeviceConfiguration } from '../generated/types.js';
import { driverName, each, optionalEnum, requiredEnum } from './common.js';
import { duplicate, invalid, invalids, required, tooLong, tooMany } from './errors.js';
import { byteLength, isDNS1123Subdomain, isLabelValue, isQualifiedName, regexError, type SyntaxCheck } from './names.js';

const MAX_POOL_NAME = 253;
const MAX_IDENTIFIER = 32;
const MAX_PARAMETERS = 10 * 1024;
const MAX_BINDING_CONDITIONS = 4;
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

/** Parts of which claims, classes and slices are made. Lists that are too long are looked into no further. */

/** A list of at most `max` items, whose keys differ. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  max: number,
  field: string,
  keyOf: (item: T) => string | undefined,
  check: (item: T, field: string) => FieldError[],
): FieldError[] {
  const seen = new Set<string>();
  return validateSlice(items, max, field, check).concat(
    (items ?? []).length > max
      ? []
      : each(items, field, (item, at) => {
          const key = keyOf(item) ?? '';
          if (seen.has(key)) return [duplicate(at, key)];
          seen.add(key);
          return [];
        }),
  );
}

export const validateSlice = <T>(items: readonly T[] | undefined, max: number, field: string, check: (item: T, field: string) => FieldError[]): FieldError[] =>
  (items ?? []).length > max ? [tooMany(field, items?.length ?? 0, max)] : each(items, field, check);

/** Subdomains with slashes between. */
export function validatePoolName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  return [
    ...(name.length > MAX_POOL_NAME ? [tooLong(field, MAX_POOL_NAME)] : []),
    ...name.split('/').flatMap((part) => invalids(field, part, isDNS1123Subdomain(part))),
  ];
}

const isCIdentifier: SyntaxCheck = (value) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          '[A-Za-z_][A-Za-z0-9_]*',
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

const identifier = (id: string, field: string): FieldError[] => [
  ...(id.length > MAX_IDENTIFIER ? [tooLong(field, MAX_IDENTIFIER)] : []),
  ...invalids(field, id, isCIdentifier(id)),
];

/** Of an attribute or a capacity: an identifier, perhaps with the domain it is of. */
export function validateDeviceKey(name: string, field: string): FieldError[] {
  const [domain = '', id, ...more] = name.split('/');
  if (more.length > 0) return [invalid(field, name, 'must not contain more than one slash')];
  if (id === undefined) return identifier(domain, field);
  return [
    ...(domain === '' ? [invalid(field, '', 'the domain must not be empty')] : driverName(domain, field)),
    ...(id === '' ? [invalid(field, '', 'the name must not be empty')] : identifier(id, field)),
  ];
}

export const validateFullDeviceKey = (name: string, field: string): FieldError[] => [
  ...validateDeviceKey(name, field),
  ...(name.includes('/') ? [] : [invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash')]),
];

export function validateConfiguration(opaque: OpaqueDeviceConfiguration | undefined, field: string): FieldError[] {
  if (!opaque) return [required(`${field}.opaque`)];
  return [...driverName(opaque.driver, `${field}.opaque.driver`), ...validateRaw(opaque.parameters, `${field}.opaque.parameters`)];
}

/** Some JSON object that is not too large. */
export function validateRaw(value: unknown, field: string): FieldError[] {
  if (value === undefined || value === null) return [required(field)];
  if (byteLength(JSON.stringify(value)) > MAX_PARAMETERS) return [tooLong(field, MAX_PARAMETERS)];
  return typeof value !== 'object' || Array.isArray(value) ? [invalid(field, '<value omitted>', 'must be a valid JSON object')] : [];
}

export const validateTaint = ({ key, value = '', effect }: DeviceTaint, field: string): FieldError[] => [
  ...invalids(`${field}.key`, key, isQualifiedName(key)),
  ...invalids(`${field}.value`, value, isLabelValue(value)),
  ...requiredEnum(effect, `${field}.effect`, EFFECTS),
];

export function validateToleration({ key, operator, value = '', effect }: DeviceToleration, field: string): FieldError[] {
  const errors = key ? invalids(`${field}.key`, key, isQualifiedName(key)) : [];
  if (operator === 'Exists' && value !== '') errors.push(invalid(`${field}.value`, value, 'must be empty for operator `Exists`'));
  else if (operator === 'Equal') errors.push(...invalids(`${field}.value`, value, isLabelValue(value)));
  else errors.push(...requiredEnum(operator, `${field}.operator`, ['Equal', 'Exists']));
  return [...errors, ...optionalEnum(effect, `${field}.effect`, EFFECTS)];
}

interface Bound {
  readonly bindingConditions?: string[];
  readonly bindingFailureConditions?: string[];
}

/** Conditions that a driver meets before a pod is bound; both lists, or neither. */
export function validateBinding({ bindingConditions = [], bindingFailureConditions = [] }: Bound, field: string): FieldError[] {
  const names = (list: string[], at: string) =>
    validateSet(
      list,
      MAX_BINDING_CONDITIONS,
      at,
      (name) => name,
      (name, path) => invalids(path, name, isQualifiedName(name)),
    );
  const failures = `${field}.bindingFailureConditions`;
  const errors = [...names(bindingConditions, `${field}.bindingConditions`), ...names(bindingFailureConditions, failures)];
  bindingFailureConditions.forEach((condition, index) => {
    if (bindingConditions.includes(condition))
      errors.push(invalid(`${failures}[${index}]`, condition, 'bindingFailureConditions must not overlap with bindingConditions'));
  });
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0)
    errors.push(invalid(`${field}.bindingConditions`, null, 'bindingConditions are required to use bindingFailureConditions'));
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0)
    errors.push(invalid(failures, null, 'bindingFailureConditions are required to use bindingConditions'));
  return errors;
}
