import type { FieldSchema, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';

/** What strategic merge asks of a type: how its fields merge. Untyped values replace lists and merge maps. */
export interface PatchSchema {
  field(name: string): PatchField;
}

export interface PatchField {
  /** Of the value, or of the items when it is a list. */
  readonly schema: PatchSchema;
  readonly strategy: 'merge' | 'replace' | undefined;
  readonly mergeKey: string | undefined;
}

const UNTYPED: PatchSchema = { field: () => UNTYPED_FIELD };
const UNTYPED_FIELD: PatchField = { schema: UNTYPED, strategy: undefined, mergeKey: undefined };

export function patchSchema(type: TypeSchema, lookup: SchemaLookup): PatchSchema {
  switch (type.kind) {
    case 'ref':
      return structSchema(lookup(type.name), lookup);
    case 'struct':
      return structSchema(type, lookup);
    case 'list':
      return patchSchema(type.items, lookup);
    case 'map': {
      const values: PatchField = { schema: patchSchema(type.values, lookup), strategy: undefined, mergeKey: undefined };
      return { field: () => values };
    }
    default:
      return UNTYPED;
  }
}

function structSchema(struct: StructSchema, lookup: SchemaLookup): PatchSchema {
  return {
    field(name) {
      const field: FieldSchema | undefined = Object.hasOwn(struct.fields, name) ? struct.fields[name] : undefined;
      if (!field) return UNTYPED_FIELD;
      const strategy = field.patchStrategy?.includes('merge') ? 'merge' : field.patchStrategy?.includes('replace') ? 'replace' : undefined;
      return { schema: patchSchema(field.type, lookup), strategy, mergeKey: field.patchMergeKey };
    },
  };
}
