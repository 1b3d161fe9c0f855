import type { GroupVersionKind } from '@coxswain/api';
import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

type Out = Record<string, unknown>;
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

// `kubectl explain` shows these; conformance looks for how they begin.
const RESOURCE_FIELDS = {
  apiVersion: { type: 'string', description: 'APIVersion defines the version of the schema that this object is written in.' },
  kind: { type: 'string', description: 'Kind is the name of the type of this object.' },
} as const;
const METADATA = "Standard object's metadata.";

/** The OpenAPI definition of a custom resource's kind. */
export function publishSchema(schema: JsonSchema, gvk: GroupVersionKind, dialect: 'v2' | 'v3', preserveAll: boolean): Out {
  const type = { 'x-kubernetes-group-version-kind': [{ group: gvk.group, kind: gvk.kind, version: gvk.version }] };
  // A client of Swagger 2.0 that is told of some properties refuses all others.
  if (dialect === 'v2' && schema['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object', ...type };
  const out = dialect === 'v3' ? v3(schema) : v2(schema);
  const metadata =
    dialect === 'v2'
      ? { description: METADATA, $ref: `#/definitions/${OBJECT_META}` }
      : { description: METADATA, allOf: [{ $ref: `#/components/schemas/${OBJECT_META}` }] };
  return {
    ...out,
    type: 'object',
    ...(preserveAll ? {} : { properties: { ...RESOURCE_FIELDS, metadata, ...without(out.properties as Out | undefined) } }),
    ...type,
  };
}

function without(properties: Out | undefined): Out {
  const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = properties ?? {};
  return rest;
}

/** OpenAPI 3.0 says nearly all of it as the CRD does. */
function v3(schema: JsonSchema): Out {
  const out = walk(schema, v3);
  if (schema['x-kubernetes-embedded-resource']) embed(out, { allOf: [{ $ref: `#/components/schemas/${OBJECT_META}` }] });
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) if (schema[key]) out[key] = schema[key].map(v3);
  if (schema.not) out.not = v3(schema.not);
  return out;
}

/** Swagger 2.0 knows less, and old clients choke on what it does not know: junctors, nullable types and defaults of such go. */
function v2(schema: JsonSchema): Out {
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.nullable || preserves || schema['x-kubernetes-int-or-string']) {
    const {
      type: _type,
      format: _format,
      items: _items,
      properties: _properties,
      additionalProperties: _values,
      nullable: _nullable,
      default: _default,
      required: _required,
      ...rest
    } = schema;
    // Of such a value nothing can be said that a client would not hold too strictly.
    return { ...plain(rest), ...(schema['x-kubernetes-int-or-string'] || schema.type === undefined || schema.nullable ? {} : { type: schema.type }) };
  }
  const out = walk(schema, v2);
  if (schema['x-kubernetes-embedded-resource']) embed(out, { $ref: `#/definitions/${OBJECT_META}` });
  return out;
}

function embed(out: Out, metadata: Out): void {
  out.properties = { ...RESOURCE_FIELDS, metadata, ...without(out.properties as Out | undefined) };
}

function plain(schema: JsonSchema): Out {
  const { allOf: _allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, ...rest } = schema;
  return { ...rest };
}

function walk(schema: JsonSchema, each: (schema: JsonSchema) => Out): Out {
  const out = plain(schema);
  const items = itemsOf(schema);
  const values = valuesOf(schema);
  if (items) out.items = each(items);
  if (values) out.additionalProperties = each(values);
  if (schema.properties) out.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, each(property)]));
  return out;
}
