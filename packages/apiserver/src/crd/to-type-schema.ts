import type { FieldSchema, TypeSchema } from '@coxswain/api';
import { itemsOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

const OBJECT_META: TypeSchema = { kind: 'ref', name: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
const STRING: TypeSchema = { kind: 'string' };

/** A CRD's schema in the form field management walks. Root: with the members every object has. */
export function toTypeSchema(schema: JsonSchema, root = true): TypeSchema {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'intOrString' };
  const resource = root || schema['x-kubernetes-embedded-resource'] === true;
  switch (root ? 'object' : schema.type) {
    case 'object':
      return objectSchema(schema, resource);
    case 'array': {
      const items = itemsOf(schema);
      const listType = schema['x-kubernetes-list-type'] as 'atomic' | 'set' | 'map' | undefined;
      const keys = schema['x-kubernetes-list-map-keys'];
      return {
        kind: 'list',
        items: items ? toTypeSchema(items, false) : { kind: 'any' },
        ...(listType ? { listType } : {}),
        ...(keys ? { listMapKeys: keys } : {}),
      };
    }
    case 'string':
      return STRING;
    case 'integer':
      return { kind: 'integer', format: schema.format === 'int32' ? 'int32' : 'int64' };
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    default:
      return { kind: 'any' };
  }
}

function objectSchema(schema: JsonSchema, resource: boolean): TypeSchema {
  const { properties = {}, additionalProperties } = schema;
  const atomic = schema['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {};
  if (!resource && additionalProperties !== undefined && additionalProperties !== false && Object.keys(properties).length === 0) {
    return { kind: 'map', values: additionalProperties === true ? { kind: 'any' } : toTypeSchema(additionalProperties, false), ...atomic };
  }
  const fields: Record<string, FieldSchema> = {};
  for (const [name, property] of Object.entries(properties)) {
    const value = property.default;
    // Defaults make list keys complete; the rest of defaulting is done elsewhere.
    fields[name] = { type: toTypeSchema(property, false), ...(value === undefined ? {} : { default: value as never }) };
  }
  if (resource) {
    fields.apiVersion = { type: STRING };
    fields.kind = { type: STRING };
    fields.metadata = { type: OBJECT_META };
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  return { kind: 'struct', fields, ...atomic, ...(open ? { preserveUnknown: true } : {}) };
}
