import type { SchemaLookup, TypeSchema } from '@coxswain/api';

/** What the checker takes for a type: its name, or the fields of an object. */
export type CelType = string | { readonly [field: string]: CelType };

/** Deeper, and where types repeat themselves, anything goes: the checker then says nothing. */
const MAX_DEPTH = 8;
const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** The type an object of this schema has in expressions. What cannot be told is `dyn`, which fits everything. */
export function celType(schema: TypeSchema, lookup: SchemaLookup, depth = 0): CelType {
  switch (schema.kind) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'list':
      return `list<${plain(schema.items)}>`;
    case 'map':
      return `map<string, ${plain(schema.values)}>`;
    case 'ref':
      return fieldsOf(lookup(schema.name).fields, lookup, depth);
    case 'struct':
      return schema.preserveUnknown || schema.additional ? 'dyn' : fieldsOf(schema.fields, lookup, depth);
    default:
      return 'dyn';
  }
}

function fieldsOf(fields: Readonly<Record<string, { readonly type: TypeSchema }>>, lookup: SchemaLookup, depth: number): CelType {
  const names = Object.keys(fields);
  // A field whose name is no identifier is reached by an escaped one: nothing can be said about the rest either.
  if (depth >= MAX_DEPTH || names.length === 0 || names.some((name) => !IDENTIFIER.test(name))) return 'dyn';
  return Object.fromEntries(names.map((name) => [name, celType((fields[name] as { type: TypeSchema }).type, lookup, depth + 1)]));
}

/** Elements of lists and maps: by name, where the name says everything. */
function plain(schema: TypeSchema): string {
  switch (schema.kind) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    default:
      return 'dyn';
  }
}
