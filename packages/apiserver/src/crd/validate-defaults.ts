import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { cloneJson } from '@coxswain/apimachinery';
import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';
import { prune } from './prune.js';
import { validateValue } from './validate-value.js';

/** Defaults are of the type they are defaults for, and would not be pruned. */
export function validateDefaults(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.default !== undefined) errors.push(...validateDefault(schema, `${path}.default`));
  const items = itemsOf(schema);
  if (items) errors.push(...validateDefaults(items, `${path}.items`));
  const values = valuesOf(schema);
  if (values) errors.push(...validateDefaults(values, `${path}.additionalProperties`));
  for (const [name, property] of Object.entries(schema.properties ?? {})) errors.push(...validateDefaults(property, `${path}.properties[${name}]`));
  return errors;
}

function validateDefault(schema: JsonSchema, path: string): FieldError[] {
  const wrapper: JsonSchema = { type: 'object', properties: { value: schema } };
  const pruned = { value: cloneJson(schema.default) };
  const unknown: string[] = [];
  prune(pruned, wrapper, unknown);
  if (unknown.length > 0) return [fieldErrors.invalid(path, schema.default, 'must not have unknown fields')];
  return validateValue(schema.default, schema).map((error) => ({ ...error, field: error.field === '' ? path : `${path}.${error.field}` }));
}
