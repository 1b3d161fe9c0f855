import type { Json, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';

/** A type as field management walks it: names resolved, path elements made once. */
export type CompiledType =
  /** One value: a scalar, or something atomic. */
  | { readonly kind: 'leaf' }
  | CompiledStruct
  | { readonly kind: 'map'; readonly values: CompiledType }
  | { readonly kind: 'set' }
  | CompiledListMap
  /** Untyped: objects merge by key, everything else is one value. */
  | { readonly kind: 'deduced' }
  /** Not looked at. */
  | { readonly kind: 'skip' };

export interface CompiledStruct {
  readonly kind: 'struct';
  readonly fields: ReadonlyMap<string, CompiledField>;
  /** The type of fields that are not declared; undefined: they are errors when applied, and ignored otherwise. */
  readonly unknown: CompiledType | undefined;
}

export interface CompiledListMap {
  readonly kind: 'listMap';
  /** Sorted, as path elements write them. */
  readonly keys: readonly string[];
  readonly defaults: Readonly<Record<string, Json>>;
  readonly items: CompiledType;
}

/** A declared field; its type is compiled when first needed, so that recursive types work. */
export class CompiledField {
  readonly element: string;
  #type: CompiledType | undefined;

  constructor(
    name: string,
    private readonly make: () => CompiledType,
    /** Upstream's Go type has this struct by value: it is always there, so it is never owned itself when it appears. */
    readonly byValue: boolean,
  ) {
    this.element = `f:${name}`;
  }

  get type(): CompiledType {
    return (this.#type ??= this.make());
  }
}

export const LEAF_TYPE: CompiledType = { kind: 'leaf' };
export const DEDUCED_TYPE: CompiledType = { kind: 'deduced' };
const SKIP_TYPE: CompiledType = { kind: 'skip' };
const SET_TYPE: CompiledType = { kind: 'set' };

const BY_VALUE: ReadonlySet<string> = new Set([
  'metadata',
  'spec',
  'status',
  'template',
  'strategy',
  'updateStrategy',
  'jobTemplate',
  'nodeInfo',
  'daemonEndpoints',
  'kubeletEndpoint',
  'loadBalancer',
]);

/** Never owned by anybody. */
const UNTRACKED_METADATA = ['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'];
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The two views of an object's type: `full` to merge with, `tracked` without the fields nobody owns. */
export interface CompiledObject {
  readonly full: CompiledStruct;
  readonly tracked: CompiledStruct;
}

class Compiler {
  readonly #structs = new Map<string, CompiledType>();
  readonly #objects = new Map<string, CompiledObject>();
  readonly #inline = new WeakMap<TypeSchema, CompiledObject>();

  constructor(private readonly lookup: SchemaLookup) {}

  type(schema: TypeSchema): CompiledType {
    switch (schema.kind) {
      case 'ref': {
        let known = this.#structs.get(schema.name);
        if (!known) this.#structs.set(schema.name, (known = this.struct(this.lookup(schema.name), true)));
        return known;
      }
      case 'struct':
        return this.struct(schema, false);
      case 'map':
        return schema.atomic ? LEAF_TYPE : { kind: 'map', values: this.type(schema.values) };
      case 'list':
        if (schema.listType === 'set') return SET_TYPE;
        if (schema.listType === 'map' && schema.listMapKeys?.length) return this.#listMap(schema.items, schema.listMapKeys);
        return LEAF_TYPE;
      case 'any':
        return DEDUCED_TYPE;
      default:
        return LEAF_TYPE;
    }
  }

  struct(schema: StructSchema, builtIn: boolean): CompiledType {
    if (schema.atomic) return LEAF_TYPE;
    const fields = new Map<string, CompiledField>();
    for (const name in schema.fields) {
      const { type, required = false } = schema.fields[name] as StructSchema['fields'][string];
      const byValue = builtIn && (type.kind === 'ref' ? BY_VALUE.has(name) : type.kind === 'list' && required);
      fields.set(name, new CompiledField(name, () => this.type(type), byValue));
    }
    const unknown = schema.additional ? this.type(schema.additional) : schema.preserveUnknown ? DEDUCED_TYPE : undefined;
    if (fields.size === 0 && unknown) return unknown === DEDUCED_TYPE ? DEDUCED_TYPE : { kind: 'map', values: unknown };
    return { kind: 'struct', fields, unknown };
  }

  #listMap(items: TypeSchema, keys: readonly string[]): CompiledListMap {
    const struct = items.kind === 'ref' ? this.lookup(items.name) : items.kind === 'struct' ? items : undefined;
    const defaults: Record<string, Json> = {};
    for (const key of keys) {
      const value = struct?.fields[key]?.default;
      if (value !== undefined) defaults[key] = value;
    }
    let compiled: CompiledType | undefined;
    const type = (schema: TypeSchema) => this.type(schema);
    return {
      kind: 'listMap',
      keys: [...keys].sort(),
      defaults,
      get items() {
        return (compiled ??= type(items));
      },
    };
  }

  object(schema: TypeSchema): CompiledObject {
    const known = schema.kind === 'ref' ? this.#objects.get(schema.name) : this.#inline.get(schema);
    if (known) return known;
    const compiled = this.#object(this.type(schema));
    if (schema.kind === 'ref') this.#objects.set(schema.name, compiled);
    else this.#inline.set(schema, compiled);
    return compiled;
  }

  /** Adds what every object has, for schemas that leave it out. */
  #object(type: CompiledType): CompiledObject {
    const root: CompiledStruct =
      type.kind === 'struct' ? type : { kind: 'struct', fields: new Map(), unknown: type.kind === 'map' ? type.values : DEDUCED_TYPE };
    const declared = root.fields.get('metadata')?.type;
    const metadata = declared?.kind === 'struct' ? declared : this.type({ kind: 'ref', name: OBJECT_META });
    const fields = new Map(root.fields);
    for (const name of ['apiVersion', 'kind']) if (!fields.has(name)) fields.set(name, new CompiledField(name, () => LEAF_TYPE, false));
    fields.set('metadata', new CompiledField('metadata', () => metadata, true));
    const tracked = new Map(fields);
    for (const name of ['apiVersion', 'kind']) tracked.set(name, new CompiledField(name, () => SKIP_TYPE, false));
    if (metadata.kind === 'struct') {
      const metaFields = new Map(metadata.fields);
      for (const name of UNTRACKED_METADATA) metaFields.set(name, new CompiledField(name, () => SKIP_TYPE, false));
      tracked.set('metadata', new CompiledField('metadata', () => ({ ...metadata, fields: metaFields }), true));
    }
    return { full: { ...root, fields }, tracked: { ...root, fields: tracked } };
  }
}

const compilers = new WeakMap<SchemaLookup, Compiler>();

/** Compile the type of an object; the work is kept per lookup. */
export function compileObject(schema: TypeSchema, lookup: SchemaLookup): CompiledObject {
  let compiler = compilers.get(lookup);
  if (!compiler) compilers.set(lookup, (compiler = new Compiler(lookup)));
  return compiler.object(schema);
}
