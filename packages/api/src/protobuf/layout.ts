import type { FieldSchema, StructSchema } from '../schema.js';

/** A struct by field numbers. Embedded Go structs are messages of their own on the wire, though not in JSON. */
export interface Layout {
  readonly slots: readonly Slot[];
  readonly byNumber: ReadonlyMap<number, Slot>;
}

export type Slot =
  | { readonly kind: 'field'; readonly number: number; readonly name: string; readonly schema: FieldSchema; readonly shape: AnyShape }
  | { readonly kind: 'embedded'; readonly number: number; readonly layout: Layout };

/** What an `any` is on the wire: raw JSON in a message, or one of the unions of JSON schema. */
export type AnyShape = 'raw' | 'schemaOrBool' | 'schemaOrArray' | 'schemaOrStrings';

const layouts = new WeakMap<StructSchema, Layout>();

const JSON_SCHEMA_UNIONS: Readonly<Record<string, AnyShape>> = {
  additionalProperties: 'schemaOrBool',
  additionalItems: 'schemaOrBool',
  items: 'schemaOrArray',
  dependencies: 'schemaOrStrings',
};

export const JSON_SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

export function layoutOf(schema: StructSchema): Layout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const unions = schema.fields['x-kubernetes-validations'] !== undefined ? JSON_SCHEMA_UNIONS : {};
  const entries = Object.entries(schema.fields).filter(([, field]) => field.proto !== undefined);
  const layout = build(
    entries.map(([name, field]) => ({ name, field, path: [...(field.protoIn ?? []), field.proto as number] })),
    unions,
  );
  layouts.set(schema, layout);
  return layout;
}

interface Entry {
  readonly name: string;
  readonly field: FieldSchema;
  readonly path: readonly number[];
}

function build(entries: readonly Entry[], unions: Readonly<Record<string, AnyShape>>): Layout {
  const slots = new Map<number, Slot>();
  const nested = new Map<number, Entry[]>();
  for (const { name, field, path } of entries) {
    const [number = 0, ...rest] = path;
    if (rest.length === 0) slots.set(number, { kind: 'field', number, name, schema: field, shape: unions[name] ?? 'raw' });
    else nested.set(number, [...(nested.get(number) ?? []), { name, field, path: rest }]);
  }
  for (const [number, inner] of nested) slots.set(number, { kind: 'embedded', number, layout: build(inner, unions) });
  return { slots: [...slots.values()].sort((a, b) => a.number - b.number), byNumber: slots };
}
