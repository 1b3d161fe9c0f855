import { decode } from '@coxswain/api';
import type { DecodeResult, JsonObject, KubeObject, SchemaLookup, StructSchema } from '@coxswain/api';
import type { ShapeCheck } from '../registry/served-resource.js';
import { itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';
import { prune } from './prune.js';

/** What every object has; the rest is left to the CRD's schema. */
const SHELL = 'coxswain.Resource';
const shell: StructSchema = {
  fields: {
    apiVersion: { type: { kind: 'string' } },
    kind: { type: { kind: 'string' } },
    metadata: { type: { kind: 'ref', name: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } },
  },
  preserveUnknown: true,
};

/** How custom resources are taken in: metadata as every object's, the rest pruned by the schema. */
export function customShape(schema: JsonSchema, preserveAll: boolean, builtIn: SchemaLookup): ShapeCheck {
  const lookup: SchemaLookup = (name) => (name === SHELL ? shell : builtIn(name));
  return (object: KubeObject, sparse: boolean): DecodeResult => {
    const decoded = decode(object as JsonObject, SHELL, { lookup, applied: sparse });
    const errors = [...decoded.errors];
    const unknown = [...decoded.unknown];
    const untyped = [...(decoded.untyped ?? [])];
    const pruned: string[] = [];
    if (!preserveAll) prune(object, schema, pruned);
    unknown.push(...pruned.map((path) => `unknown field ${JSON.stringify(path)}`));
    if (sparse) untyped.push(...pruned.map((path) => `.${path}: field not declared in schema`));
    embedded(object, schema, '', true, (resource, path) => {
      const inner = decode(resource as JsonObject, SHELL, { lookup, applied: sparse });
      errors.push(...inner.errors);
      unknown.push(...inner.unknown.map((text) => text.replace('"', `"${path}.`)));
      untyped.push(...(inner.untyped ?? []).map((text) => `.${path}${text}`));
    });
    return { errors, unknown, untyped };
  };
}

/** Every resource inside, with its path. */
function embedded(value: unknown, schema: JsonSchema, path: string, root: boolean, visit: (resource: object, path: string) => void): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(schema)) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items) value.forEach((item, i) => embedded(item, items, `${path}[${i}]`, false, visit));
    return;
  }
  const object = value as Record<string, unknown>;
  if (!root && schema['x-kubernetes-embedded-resource']) visit(object, path);
  const values = valuesOf(schema);
  for (const key in object) {
    const property = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : values;
    if (property) embedded(object[key], property, path === '' ? key : `${path}.${key}`, false, visit);
  }
}

const known = new WeakMap<JsonSchema, boolean>();

function hasEmbedded(schema: JsonSchema): boolean {
  let found = known.get(schema);
  if (found === undefined) {
    const below = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
    found = schema['x-kubernetes-embedded-resource'] === true || below.some((each) => each !== undefined && hasEmbedded(each));
    known.set(schema, found);
  }
  return found;
}
