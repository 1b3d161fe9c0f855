import type { Describe, FieldSchema, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import { anyTypeName, INT_OR_STRING, META, MICRO_TIME, QUANTITY, specialSchema, TIME } from './special-types.js';

export type Dialect = 'v2' | 'v3';

/** An OpenAPI schema as JSON. */
export interface JsonSchema {
  [key: string]: unknown;
}

/** Kinds every group version knows by its own name. */
const SHARED_KINDS = new Set(['DeleteOptions', 'WatchEvent']);

export interface SchemaSource {
  readonly lookup: SchemaLookup;
  readonly describe: Describe;
  readonly dialect: Dialect;
  /** Where kinds like DeleteOptions are known: every served group version. */
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
}

/** Turns type schemas into OpenAPI definitions and remembers which others they need. */
export class SchemaWriter {
  readonly definitions: Record<string, JsonSchema> = {};
  readonly #prefix: string;

  constructor(readonly source: SchemaSource) {
    this.#prefix = source.dialect === 'v2' ? '#/definitions/' : '#/components/schemas/';
  }

  /** A reference to a named type; its definition and what that needs are added. */
  ref(name: string): JsonSchema {
    this.#define(name);
    return { $ref: this.#prefix + name };
  }

  /** A definition that comes ready-made (custom resources). */
  put(name: string, schema: JsonSchema): void {
    this.definitions[name] = schema;
  }

  #define(name: string): void {
    if (this.definitions[name]) return;
    const special = specialSchema(name, this.source.dialect);
    if (special) {
      this.definitions[name] = special as JsonSchema;
      return;
    }
    // Stands before it is complete: types contain themselves.
    const out: JsonSchema = {};
    this.definitions[name] = out;
    this.#struct(name, this.source.lookup(name), out);
  }

  #struct(name: string, schema: StructSchema, out: JsonSchema): void {
    const description = schema.description ?? this.source.describe(name);
    if (description) out.description = description;
    out.type = 'object';
    const required: string[] = [];
    const properties: Record<string, JsonSchema> = {};
    for (const [key, field] of Object.entries(schema.fields)) {
      properties[key] = this.#field(name, key, field);
      if (field.required) required.push(key);
    }
    if (required.length > 0) out.required = required.sort();
    if (Object.keys(properties).length > 0) out.properties = properties;
    if (schema.atomic) out['x-kubernetes-map-type'] = 'atomic';
    const kinds = this.#kinds(schema);
    if (kinds) out['x-kubernetes-group-version-kind'] = kinds;
  }

  #kinds({ groupVersionKind: gvk }: StructSchema): object[] | undefined {
    if (!gvk) return undefined;
    if (gvk.group !== 'meta.k8s.io') return [{ group: gvk.group, kind: gvk.kind, version: gvk.version }];
    if (SHARED_KINDS.has(gvk.kind)) return this.source.groupVersions.map(({ group, version }) => ({ group, kind: gvk.kind, version }));
    return [{ group: '', kind: gvk.kind, version: 'v1' }];
  }

  #field(struct: string, key: string, field: FieldSchema): JsonSchema {
    const type = this.#type(field.type, struct, key);
    const description = field.description ?? this.source.describe(struct, key) ?? this.#describeType(field.type);
    const extra: JsonSchema = {};
    if (description) extra.description = description;
    if (field.default !== undefined) extra.default = field.default;
    const { type: schema } = field;
    if (schema.kind === 'list' && schema.listType) {
      extra['x-kubernetes-list-type'] = schema.listType;
      if (schema.listMapKeys) extra['x-kubernetes-list-map-keys'] = schema.listMapKeys;
    }
    if ((schema.kind === 'map' || schema.kind === 'ref') && schema.atomic) extra['x-kubernetes-map-type'] = 'atomic';
    if (field.patchMergeKey) extra['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
    if (field.patchStrategy) extra['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',');
    // OpenAPI 3.0 ignores what stands beside a $ref.
    if (this.source.dialect === 'v3' && type.$ref !== undefined && Object.keys(extra).length > 0) return { ...extra, allOf: [type] };
    return { ...type, ...extra };
  }

  /** A field upstream says nothing about is what its type is. */
  #describeType(type: TypeSchema): string | undefined {
    switch (type.kind) {
      case 'ref':
        return this.source.describe(type.name);
      case 'list':
        return this.#describeType(type.items);
      case 'map':
        return this.#describeType(type.values);
      default:
        return undefined;
    }
  }

  #type(type: TypeSchema, struct: string, key: string): JsonSchema {
    switch (type.kind) {
      case 'string':
        return type.enum ? { type: 'string', enum: [...type.enum].sort() } : { type: 'string' };
      case 'duration':
        return { type: 'string' };
      case 'bytes':
        return { type: 'string', format: 'byte' };
      case 'boolean':
        return { type: 'boolean' };
      case 'integer':
        return { type: 'integer', format: type.format };
      case 'number':
        return { type: 'number', format: 'double' };
      case 'quantity':
        return this.ref(QUANTITY);
      case 'intOrString':
        return this.ref(INT_OR_STRING);
      case 'time':
        return this.ref(TIME);
      case 'microTime':
        return this.ref(MICRO_TIME);
      case 'any':
        return this.ref(anyTypeName(struct, key));
      case 'ref':
        return this.ref(type.name);
      case 'list':
        return { type: 'array', items: this.#type(type.items, struct, key) };
      case 'map':
        return { type: 'object', additionalProperties: this.#type(type.values, struct, key) };
      case 'struct': {
        const out: JsonSchema = {};
        this.#struct(`${struct}.${key}`, type, out);
        return out;
      }
    }
  }

  /** The list type of a kind whose schema is not in the tables. */
  putList(name: string, itemName: string, gvk: { readonly group: string; readonly version: string; readonly kind: string }): void {
    const allOf = (ref: JsonSchema, description: string): JsonSchema =>
      this.source.dialect === 'v3' ? { description, allOf: [ref] } : { ...ref, description };
    this.definitions[name] = {
      description: `A list of ${itemName.slice(itemName.lastIndexOf('.') + 1)} objects.`,
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: { description: this.source.describe(`${META}.Status`, 'apiVersion') ?? 'The version of the schema.', type: 'string' },
        items: { description: 'The objects.', type: 'array', items: this.ref(itemName) },
        kind: { description: this.source.describe(`${META}.Status`, 'kind') ?? 'The kind of the list.', type: 'string' },
        metadata: allOf(this.ref(`${META}.ListMeta`), 'The metadata of the list.'),
      },
      'x-kubernetes-group-version-kind': [{ group: gvk.group, kind: gvk.kind, version: gvk.version }],
    };
  }
}
