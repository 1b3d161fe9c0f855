import type { FieldError } from '../field-error.js';
import type { JSONSchemaProps } from '../generated/types.js';
import { forbidden, invalid, notSupported, required } from './errors.js';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const FORBIDDEN = ['$ref', 'additionalItems', 'definitions', 'dependencies', 'patternProperties', 'id', '$schema'] as const;
const LIST_TYPES = ['atomic', 'map', 'set'];

/** Whether a schema of a CustomResourceDefinition is structural and says nothing the API has no meaning for. */
export function validateJSONSchema(schema: JSONSchemaProps, field: string): FieldError[] {
  const errors = schema.type === 'object' || schema.type === undefined ? [] : [invalid(`${field}.type`, schema.type, 'must be object at the root')];
  if (schema.type === undefined) errors.push(required(`${field}.type`, 'must not be empty at the root'));
  return [...errors, ...validateNode(schema, field, false)];
}

function validateNode(schema: JSONSchemaProps, field: string, nested: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of FORBIDDEN) if (schema[key] !== undefined) errors.push(forbidden(`${field}.${key}`, `${key} is not supported`));
  if (schema.uniqueItems) errors.push(forbidden(`${field}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  if (schema.type !== undefined && !TYPES.includes(schema.type)) errors.push(notSupported(`${field}.type`, schema.type, TYPES));
  const open = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (nested && schema.type === undefined && !open) errors.push(required(`${field}.type`, 'must not be empty for specified object fields'));
  if (schema.pattern !== undefined && !isRegExp(schema.pattern)) {
    errors.push(invalid(`${field}.pattern`, schema.pattern, 'must be a valid regular expression'));
  }
  if (schema.properties && schema.additionalProperties) {
    errors.push(forbidden(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  errors.push(...validateList(schema, field));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateNode(property, `${field}.properties[${name}]`, true));
  }
  if (isSchema(schema.items)) errors.push(...validateNode(schema.items, `${field}.items`, true));
  else if (Array.isArray(schema.items)) errors.push(forbidden(`${field}.items`, 'items must be a schema object and not an array'));
  else if (schema.type === 'array') errors.push(required(`${field}.items`, 'must be specified'));
  if (isSchema(schema.additionalProperties)) errors.push(...validateNode(schema.additionalProperties, `${field}.additionalProperties`, true));
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    if (!rule.rule?.trim()) errors.push(required(`${field}.x-kubernetes-validations.rule`, 'rule is not specified'));
  }
  return errors;
}

function validateList(schema: JSONSchemaProps, field: string): FieldError[] {
  const type = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const errors: FieldError[] = [];
  if (type === undefined) return keys.length > 0 ? [required(`${field}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty')] : [];
  if (!LIST_TYPES.includes(type)) errors.push(notSupported(`${field}.x-kubernetes-list-type`, type, LIST_TYPES));
  if (schema.type !== 'array') errors.push(invalid(`${field}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
  if (type !== 'map') return errors;
  if (keys.length === 0) errors.push(required(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  const items = isSchema(schema.items) ? schema.items : undefined;
  for (const [index, key] of keys.entries()) {
    const property = items?.properties?.[key];
    if (!property) errors.push(invalid(`${field}.x-kubernetes-list-map-keys[${index}]`, key, 'entries must all be names of item properties'));
    else if (property.default === undefined && !items?.required?.includes(key)) {
      errors.push(
        required(
          `${field}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
    }
  }
  return errors;
}

const isSchema = (value: unknown): value is JSONSchemaProps => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Patterns are RE2: what JavaScript spells otherwise (inline flags, named groups, \A and \z) is no reason to refuse one. */
function isRegExp(pattern: string): boolean {
  const portable = pattern
    .replace(/\(\?[imsU]+\)/g, '')
    .replace(/\(\?[imsU]+:/g, '(?:')
    .replaceAll('(?P<', '(?<');
  try {
    new RegExp(portable);
    return true;
  } catch {
    return false;
  }
}
