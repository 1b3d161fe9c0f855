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
  /** A list or map that upstream writes as null when it is not there. */
  readonly nullable: boolean;
  /** It is null, too, when it was written empty: upstream stores most types as protobuf, which knows no difference. */
  readonly emptyIsNull: boolean;
}

const plans = new WeakMap<StructSchema, StructPlan>();

/** `name` is for error texts: the last part of the OpenAPI name. */
export function planOf(schema: StructSchema, name: string): StructPlan {
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const fields = new Map<string, FieldPlan>();
  const emitted: FieldPlan[] = [];
  for (const [field, { type, zero, required }] of Object.entries(schema.fields)) {
    // What is required is refused by validation when it is not there.
    const nullable = zero === 'emit' && !required && (type.kind === 'list' || type.kind === 'map');
    const plan: FieldPlan = { name: field, type, zero, nullable, emptyIsNull: nullable && !name.startsWith(STORED_AS_JSON) };
    fields.set(field, plan);
    if (zero === 'emit' && (nullable || isEmitted(type))) emitted.push(plan);
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

const STORED_AS_JSON = 'io.k8s.apiextensions-apiserver.';

const isEmitted = ({ kind }: TypeSchema): boolean =>
  kind === 'ref' || kind === 'struct' || kind === 'string' || kind === 'boolean' || kind === 'integer' || kind === 'number' || kind === 'quantity';

export const lookupPlan = (lookup: SchemaLookup, name: string): StructPlan => planOf(lookup(name), name);
