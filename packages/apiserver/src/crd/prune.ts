import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

const RESOURCE_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/** Drop what the schema does not know, and tell which that was. Changes `object`; metadata of a resource is left alone. */
export function prune(object: Record<string, unknown>, schema: JsonSchema, unknown: string[]): void {
  pruneObject(object, schema, true, '', unknown);
}

function pruneValue(value: unknown, schema: JsonSchema, path: string, unknown: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items) for (let i = 0; i < value.length; i++) pruneValue(value[i], items, `${path}[${i}]`, unknown);
    return;
  }
  pruneObject(value as Record<string, unknown>, schema, schema['x-kubernetes-embedded-resource'] === true, path, unknown);
}

function pruneObject(object: Record<string, unknown>, schema: JsonSchema, resource: boolean, path: string, unknown: string[]): void {
  const { properties, additionalProperties } = schema;
  const values = valuesOf(schema);
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  for (const key of Object.keys(object)) {
    if (resource && RESOURCE_FIELDS.has(key)) continue;
    const member = path === '' ? key : `${path}.${key}`;
    if (properties && Object.hasOwn(properties, key)) pruneValue(object[key], properties[key] as JsonSchema, member, unknown);
    else if (values) pruneValue(object[key], values, member, unknown);
    else if (!open) {
      unknown.push(member);
      delete object[key];
    }
  }
}
