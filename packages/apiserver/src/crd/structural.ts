import { compilePattern } from '@coxswain/cel';
import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

type Level = 'root' | 'item' | 'field';
const { forbidden, invalid, required } = fieldErrors;
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

/** A schema is structural: types stand outside of junctors, and what junctors name is named outside as well. */
export function validateStructural(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, 'root', path, errors);
  completeness(schema, path, errors);
  return errors.sort((a, b) => (`${a.field}: ${a.message}` < `${b.field}: ${b.message}` ? -1 : 1));
}

function invariants(s: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const items = itemsOf(s);
  const embedded = s['x-kubernetes-embedded-resource'] === true;
  const intOrString = s['x-kubernetes-int-or-string'] === true;
  const preserve = s['x-kubernetes-preserve-unknown-fields'] === true;
  if (s.type === 'array' && !items) errors.push(required(`${path}.items`, 'must be specified'));
  if (items) invariants(items, 'item', `${path}.items`, errors);
  for (const [name, property] of Object.entries(s.properties ?? {})) invariants(property, 'field', `${path}.properties[${name}]`, errors);
  if (s.additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
    const values = valuesOf(s);
    if (values) invariants(values, 'field', `${path}.additionalProperties`, errors);
  }
  if (intOrString && preserve)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true'));
  if (intOrString && embedded) errors.push(invalid(`${path}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true'));
  const anyOfPattern = deepEqual(s.anyOf, INT_OR_STRING);
  const allOfPattern = deepEqual(s.allOf?.[0]?.anyOf, INT_OR_STRING);
  junctors(s, anyOfPattern, allOfPattern, path, errors);
  if (embedded && s.type !== 'object') {
    if (!s.type) errors.push(required(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true'));
    else errors.push(invalid(`${path}.type`, s.type, 'must be object if x-kubernetes-embedded-resource is true'));
  } else if (!s.type && !intOrString && !preserve) {
    const where = level === 'root' ? 'at the root' : level === 'item' ? 'for specified array items' : 'for specified object fields';
    errors.push(required(`${path}.type`, `must not be empty ${where}`));
  }
  if (embedded && s.additionalProperties !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'));
  if (level === 'root' && s.type && s.type !== 'object') errors.push(invalid(`${path}.type`, s.type, 'must be object at the root'));
  resourceFields(s, level, embedded, path, errors);
  if (embedded && !preserve && Object.keys(s.properties ?? {}).length === 0) {
    errors.push(required(`${path}.properties`, 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'));
  }
}

function resourceFields(s: JsonSchema, level: Level, embedded: boolean, path: string, errors: FieldError[]): void {
  if (level !== 'root' && !embedded) return;
  for (const name of ['kind', 'apiVersion']) {
    const property = s.properties?.[name];
    if (property && property.type !== 'string') errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
  }
  const metadata = s.properties?.metadata;
  if (!metadata) return;
  if (metadata.type !== 'object') errors.push(invalid(`${path}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
  if (level !== 'root') return;
  const { type: _type, description: _description, properties, ...rest } = metadata;
  const others = Object.keys(properties ?? {}).filter((name) => name !== 'name' && name !== 'generateName');
  if (Object.keys(rest).length > 0 || others.length > 0) {
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not specify anything other than name and generateName, but metadata is implicitly specified'));
  }
}

function junctors(s: JsonSchema, skipAnyOf: boolean, skipFirstAllOf: boolean, path: string, errors: FieldError[]): void {
  if (!skipAnyOf) s.anyOf?.forEach((each, i) => nested(each, false, `${path}.anyOf[${i}]`, errors));
  s.allOf?.forEach((each, i) => nested(each, skipFirstAllOf && i === 0, `${path}.allOf[${i}]`, errors));
  s.oneOf?.forEach((each, i) => nested(each, false, `${path}.oneOf[${i}]`, errors));
  if (s.not) nested(s.not, false, `${path}.not`, errors);
  if (s.pattern && !compilePattern(s.pattern))
    errors.push(invalid(`${path}.pattern`, s.pattern, `must be a valid regular expression, but isn't: error parsing regexp: ${s.pattern}`));
}

const MUST_BE_EMPTY = ['type', 'title', 'description'] as const;
const MUST_BE_FALSE = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const;
const MUST_BE_UNDEFINED = ['additionalProperties', 'default', 'x-kubernetes-list-type', 'x-kubernetes-map-type'] as const;

/** Inside a junctor only values may be restricted. */
function nested(s: JsonSchema, skipAnyOf: boolean, path: string, errors: FieldError[]): void {
  junctors(s, skipAnyOf, false, path, errors);
  const items = itemsOf(s);
  if (items) nested(items, false, `${path}.items`, errors);
  for (const [name, property] of Object.entries(s.properties ?? {})) nested(property, false, `${path}.properties[${name}]`, errors);
  for (const key of MUST_BE_EMPTY) if (s[key]) errors.push(forbidden(`${path}.${key}`, 'must be empty to be structural'));
  for (const key of MUST_BE_FALSE) if (s[key]) errors.push(forbidden(`${path}.${key}`, 'must be false to be structural'));
  for (const key of MUST_BE_UNDEFINED) if (s[key] !== undefined) errors.push(forbidden(`${path}.${key}`, 'must be undefined to be structural'));
  for (const key of ['x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const)
    if (s[key]?.length) errors.push(forbidden(`${path}.${key}`, 'must be empty to be structural'));
  if (s.properties?.metadata) errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
}

/** Everything junctors speak of exists outside of them. */
function completeness(s: JsonSchema, path: string, errors: FieldError[]): void {
  for (const [name, property] of Object.entries(s.properties ?? {})) completeness(property, `${path}.properties[${name}]`, errors);
  const items = itemsOf(s);
  if (items) completeness(items, `${path}.items`, errors);
  const values = valuesOf(s);
  if (values) completeness(values, `${path}.additionalProperties`, errors);
  eachJunctor(s, path, (each, at) => named(each, s, at, path, errors));
}

function eachJunctor(s: JsonSchema, path: string, visit: (each: JsonSchema, path: string) => void): void {
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) s[key]?.forEach((each, i) => visit(each, `${path}.${key}[${i}]`));
  if (s.not) visit(s.not, `${path}.not`);
}

function named(inner: JsonSchema, outer: JsonSchema, path: string, outerPath: string, errors: FieldError[]): void {
  const innerItems = itemsOf(inner);
  if (innerItems) {
    const items = itemsOf(outer);
    if (!items) errors.push(required(`${outerPath}.items`, `because it is defined in ${path}.items`));
    else named(innerItems, items, `${path}.items`, `${outerPath}.items`, errors);
  }
  for (const [name, property] of Object.entries(inner.properties ?? {})) {
    const counterpart = outer.properties?.[name];
    if (counterpart) named(property, counterpart, `${path}.properties[${name}]`, `${outerPath}.properties[${name}]`, errors);
    else if (outer.additionalProperties !== undefined)
      errors.push(required(`${outerPath}.properties[${name}]`, `because it is defined in ${path}.properties[${name}]`));
    else errors.push(required(`${outerPath}.properties[${name}]`, `because it is defined in ${path}.properties[${name}]`));
  }
  eachJunctor(inner, path, (each, at) => named(each, outer, at, outerPath, errors));
}
