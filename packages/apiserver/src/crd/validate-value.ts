import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { canonicalJson, deepEqual } from '@coxswain/apimachinery';
import { compilePattern, matchesFormat } from '@coxswain/cel';
import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

/** No old value to compare with. */
const NOTHING = Symbol('nothing');
type Old = unknown;

/**
 * Hold a value to a CRD's schema, with the errors upstream gives. With `old` what has not changed is not held against the writer
 * ("ratcheting"): fields, and items of lists with keys.
 */
export function validateValue(value: unknown, schema: JsonSchema, old: Old = NOTHING): FieldError[] {
  const errors: FieldError[] = [];
  validate(value, schema, '', errors, old);
  return errors;
}

function validate(value: unknown, schema: JsonSchema, path: string, errors: FieldError[], old: Old): void {
  if (old !== NOTHING && deepEqual(value, old)) return;
  if (value === null && schema.nullable) return;
  if (!checkType(value, schema, path, errors)) return;
  if (schema.enum && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    errors.push(
      fieldErrors.notSupported(
        path,
        value,
        schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    );
  }
  if (typeof value === 'string') checkString(value, schema, path, errors);
  else if (typeof value === 'number') checkNumber(value, schema, path, errors);
  else if (Array.isArray(value)) checkArray(value, schema, path, errors, old);
  else if (typeof value === 'object' && value !== null) checkObject(value as Record<string, unknown>, schema, path, errors, old);
  checkJunctors(value, schema, path, errors);
}

export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): boolean {
  const actual = typeName(value);
  const wanted = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : [];
  if (wanted.length === 0 || wanted.includes(actual) || (actual === 'integer' && wanted.includes('number'))) {
    if (actual !== 'null' || wanted.length > 0) return true;
    // Nothing says it may be null, nor what else it must be.
    return true;
  }
  errors.push(fieldErrors.typeInvalid(path, actual, `${inBody(path)} must be of type ${wanted.join(',')}: ${JSON.stringify(actual)}`));
  return false;
}

const inBody = (path: string): string => `${path} in body`;
const wrong = (path: string, value: unknown, what: string): FieldError => fieldErrors.invalid(path, value, `${inBody(path)} ${what}`);

function checkString(value: string, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { maxLength, minLength, pattern, format } = schema;
  if (maxLength !== undefined || minLength !== undefined) {
    const length = [...value].length;
    if (maxLength !== undefined && length > maxLength) errors.push(fieldErrors.tooLong(path, maxLength));
    if (minLength !== undefined && length < minLength) errors.push(wrong(path, value, `should be at least ${minLength} chars long`));
  }
  if (pattern && compilePattern(pattern)?.test(value) === false) errors.push(wrong(path, value, `should match '${pattern}'`));
  if (format && !matchesFormat(value, format))
    errors.push(fieldErrors.typeInvalid(path, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`));
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = { int32: [-(2 ** 31), 2 ** 31 - 1], int64: [-(2 ** 63), 2 ** 63] };

function checkNumber(value: number, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { maximum, minimum, multipleOf, format } = schema;
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum ? value >= maximum : value > maximum)
      errors.push(wrong(path, value, schema.exclusiveMaximum ? `should be less than ${maximum}` : `should be less than or equal to ${maximum}`));
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum ? value <= minimum : value < minimum)
      errors.push(wrong(path, value, schema.exclusiveMinimum ? `should be greater than ${minimum}` : `should be greater than or equal to ${minimum}`));
  }
  if (multipleOf !== undefined && multipleOf > 0) {
    const quotient = value / multipleOf;
    if (Math.abs(quotient - Math.round(quotient)) > 1e-9) errors.push(wrong(path, value, `should be a multiple of ${multipleOf}`));
  }
  const range = format ? RANGES[format] : undefined;
  if (range && schema.type === 'integer' && (value < range[0] || value > range[1]))
    errors.push(fieldErrors.invalid(path, value, `Checked value must be of type integer with format ${format} in ${path}`));
}

function checkArray(value: readonly unknown[], schema: JsonSchema, path: string, errors: FieldError[], old: Old): void {
  const { maxItems, minItems } = schema;
  if (maxItems !== undefined && value.length > maxItems) errors.push(fieldErrors.tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems) errors.push(wrong(path, value, `should have at least ${minItems} items`));
  if (schema.uniqueItems && value.some((item, i) => value.slice(0, i).some((other) => deepEqual(item, other))))
    errors.push(wrong(path, value, "shouldn't contain duplicates"));
  const items = itemsOf(schema);
  if (items) for (let i = 0; i < value.length; i++) validate(value[i], items, `${path}[${i}]`, errors, correlate(value[i], schema, old));
  checkListType(value, schema, path, errors);
}

/** The item of the old list with the same keys. */
export function correlate(item: unknown, schema: JsonSchema, old: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || typeof item !== 'object' || item === null) return NOTHING;
  const same = (other: unknown) =>
    typeof other === 'object' &&
    other !== null &&
    keys.every((key) => deepEqual((other as Record<string, unknown>)[key], (item as Record<string, unknown>)[key]));
  const found = old.find(same);
  return found === undefined ? NOTHING : found;
}

export const isNothing = (value: unknown): boolean => value === NOTHING;

function checkListType(value: readonly unknown[], schema: JsonSchema, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    let identity = value[i];
    if (type === 'map') {
      if (typeof identity !== 'object' || identity === null) continue;
      const item = identity as Record<string, unknown>;
      identity = Object.fromEntries(keys.map((key) => [key, item[key]]));
    }
    const text = canonicalJson(identity);
    if (seen.has(text)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, identity));
    seen.add(text);
  }
}

function checkObject(value: Record<string, unknown>, schema: JsonSchema, path: string, errors: FieldError[], old: Old): void {
  const { maxProperties, minProperties, properties, required } = schema;
  const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Record<string, unknown>) : undefined;
  if (maxProperties !== undefined || minProperties !== undefined) {
    const count = Object.keys(value).length;
    if (maxProperties !== undefined && count > maxProperties) errors.push(fieldErrors.tooMany(path, count, maxProperties));
    if (minProperties !== undefined && count < minProperties) errors.push(wrong(path, value, `should have at least ${minProperties} properties`));
  }
  for (const name of required ?? []) if (value[name] === undefined) errors.push(fieldErrors.required(join(path, name)));
  const values = valuesOf(schema);
  for (const key in value) {
    const property = properties && Object.hasOwn(properties, key) ? properties[key] : values;
    if (property) validate(value[key], property, join(path, key), errors, before && key in before ? before[key] : NOTHING);
    else if (schema.additionalProperties === false) errors.push(fieldErrors.forbidden(join(path, key), `${inBody(join(path, key))} is a forbidden property`));
  }
  if (schema['x-kubernetes-embedded-resource']) checkEmbedded(value, path, errors);
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function checkEmbedded(value: Record<string, unknown>, path: string, errors: FieldError[]): void {
  for (const key of ['apiVersion', 'kind'] as const) {
    const text = value[key];
    if (text === undefined || text === '') errors.push(fieldErrors.required(`${path}.${key}`, 'must not be empty'));
    else if (typeof text !== 'string') errors.push(fieldErrors.typeInvalid(`${path}.${key}`, text, 'must be a string'));
  }
  const { metadata } = value;
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)))
    errors.push(fieldErrors.typeInvalid(`${path}.metadata`, metadata, 'must be an object'));
}

function checkJunctors(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const named = JSON.stringify(path === '' ? '<nil>' : path);
  const passes = (each: JsonSchema) => failures(value, each, path).length === 0;
  const { allOf, anyOf, oneOf, not } = schema;
  if (allOf) {
    const failed = allOf.flatMap((each) => failures(value, each, path));
    if (failed.length > 0) errors.push(fieldErrors.invalid(path, '', `${named} must validate all the schemas (allOf)`), ...failed);
  }
  if (anyOf && !anyOf.some(passes))
    errors.push(fieldErrors.invalid(path, '', `${named} must validate at least one schema (anyOf)`), ...best(anyOf, value, path));
  if (oneOf) {
    const count = oneOf.filter(passes).length;
    if (count === 0)
      errors.push(fieldErrors.invalid(path, '', `${named} must validate one and only one schema (oneOf). Found none valid`), ...best(oneOf, value, path));
    else if (count > 1) errors.push(fieldErrors.invalid(path, '', `${named} must validate one and only one schema (oneOf). Found ${count} valid alternatives`));
  }
  if (not && passes(not)) errors.push(fieldErrors.invalid(path, '', `${named} must not validate the schema (not)`));
}

function failures(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  validate(value, schema, path, errors, NOTHING);
  return errors;
}

/** What the alternative that came closest finds wrong. */
function best(alternatives: readonly JsonSchema[], value: unknown, path: string): FieldError[] {
  let closest: FieldError[] = [];
  for (const each of alternatives) {
    const found = failures(value, each, path);
    if (closest.length === 0 || found.length < closest.length) closest = found;
  }
  return closest;
}
