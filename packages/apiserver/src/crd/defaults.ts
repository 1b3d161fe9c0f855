import { cloneJson } from '@coxswain/apimachinery';
import { anySchema, itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

/** Whether `applyDefaults` can do anything. */
export const hasDefaults = (schema: JsonSchema): boolean => anySchema(schema, (each) => each.default !== undefined);

/**
 * Fill in what the schema gives defaults for. A null where the schema allows none counts as absent when there is a default.
 * Changes `value`. Defaults inside a default are filled in as well.
 */
export function applyDefaults(value: unknown, schema: JsonSchema): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (!items) return;
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && !items.nullable && items.default !== undefined) value[i] = cloneJson(items.default);
      applyDefaults(value[i], items);
    }
    return;
  }
  const object = value as Record<string, unknown>;
  const { properties } = schema;
  const values = valuesOf(schema);
  if (properties) {
    for (const key in properties) {
      const property = properties[key] as JsonSchema;
      if (property.default !== undefined && (object[key] === undefined || (object[key] === null && !property.nullable)))
        object[key] = cloneJson(property.default);
      if (object[key] !== undefined) applyDefaults(object[key], property);
    }
  }
  if (!values) return;
  for (const key of Object.keys(object)) {
    if (properties && Object.hasOwn(properties, key)) continue;
    if (object[key] === null && !values.nullable && values.default !== undefined) object[key] = cloneJson(values.default);
    applyDefaults(object[key], values);
  }
}
