import type { FieldSchema, SchemaLookup, StructSchema, TypeSchema } from '../schema.js';

/** A struct made ready for walking: what to do with each field, and which fields are written even when absent. */
export interface StructPlan {
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldPlan>;
  readonly emitted: readonly FieldPlan[];
  readonly keepsUnknown: boolean;
}

export interface FieldPlan {
  readonly name: string;
  readonly type: TypeSchema;
  readonly zero: FieldSchema['zero'];
}

const plans = new WeakMap<StructSchema, StructPlan>();

/** `name` is for error texts: the last part of the OpenAPI name. */
export function planOf(schema: StructSchema, name: string): StructPlan {
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const fields = new Map<string, FieldPlan>();
  const emitted: FieldPlan[] = [];
  for (const [field, { type, zero }] of Object.entries(schema.fields)) {
    const plan: FieldPlan = { name: field, type, zero };
    fields.set(field, plan);
    if (zero === 'emit' && isEmitted(type)) emitted.push(plan);
  }
  const plan: StructPlan = {
    name: name.slice(name.lastIndexOf('.') + 1),
    fields,
    emitted,
    keepsUnknown: schema.preserveUnknown === true,
  };
  plans.set(schema, plan);
  return plan;
}

/** A list or map that upstream would write as null is left out instead. */
const isEmitted = ({ kind }: TypeSchema): boolean =>
  kind === 'ref' || kind === 'struct' || kind === 'string' || kind === 'boolean' || kind === 'integer' || kind === 'number' || kind === 'quantity';

export const lookupPlan = (lookup: SchemaLookup, name: string): StructPlan => planOf(lookup(name), name);
