/** JSON as parsed. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * The shape of one API type, used by every piece of machinery that walks objects: defaulting, unknown-field checks,
 * strategic merge, server-side apply, OpenAPI, protobuf. Built-ins are generated (`schemas`), CRDs are converted to it.
 */
export type TypeSchema =
  | { readonly kind: 'string'; readonly enum?: readonly string[] }
  /** Base64 in JSON. */
  | { readonly kind: 'bytes' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly format: 'int32' | 'int64' }
  | { readonly kind: 'number' }
  /** A resource quantity, canonical string. */
  | { readonly kind: 'quantity' }
  | { readonly kind: 'intOrString' }
  /** RFC 3339, seconds / microseconds. */
  | { readonly kind: 'time' }
  | { readonly kind: 'microTime' }
  /** Go's text (`1m30s`); nanoseconds as protobuf. */
  | { readonly kind: 'duration' }
  /** A struct by its OpenAPI name, e.g. `io.k8s.api.core.v1.PodSpec`; look it up with `SchemaLookup`. */
  | { readonly kind: 'ref'; readonly name: string; readonly atomic?: boolean }
  | ({ readonly kind: 'list'; readonly items: TypeSchema } & ListTraits)
  | { readonly kind: 'map'; readonly values: TypeSchema; readonly atomic?: boolean }
  /** An inline struct (CRD schemas). */
  | ({ readonly kind: 'struct' } & StructSchema)
  /** Any JSON: RawExtension, FieldsV1, JSON, `x-kubernetes-preserve-unknown-fields` without a type. */
  | { readonly kind: 'any' };

export interface ListTraits {
  /** Server-side apply: how the list merges. Absent means atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
}

export interface FieldSchema {
  readonly type: TypeSchema;
  readonly required?: boolean;
  readonly description?: string;
  /** Static default, applied when the field is absent. Conditional defaults are code in `defaults/`. */
  readonly default?: Json;
  /** Strategic merge patch: `patchStrategy` and `patchMergeKey`. */
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  /** Protobuf field number, for built-ins. */
  readonly proto?: number;
  /** Field numbers of the embedded messages this field lies in, outermost first (Go's inlined structs: a Volume's `emptyDir` is 2.2). */
  readonly protoIn?: readonly number[];
  /** Each list (of a map's values, or the field itself) is a message of its own with `items = 1`. */
  readonly protoWrapped?: boolean;
  /**
   * How upstream writes the zero value ('' 0 false [] {}) of a field without presence.
   * `omit`: never written, the same as absent. `emit`: always written, even when absent on the way in.
   */
  readonly zero?: 'omit' | 'emit';
}

export interface StructSchema {
  readonly description?: string;
  readonly fields: Readonly<Record<string, FieldSchema>>;
  /** Set on top-level types: what `apiVersion` and `kind` say. */
  readonly groupVersionKind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Server-side apply treats the struct as one value. */
  readonly atomic?: boolean;
  /** Unknown fields are kept (CRDs). */
  readonly preserveUnknown?: boolean;
  /** A union embedded whole, such as `Volume`, whose members exclude each other. */
  readonly additional?: TypeSchema;
}

/** Finds a struct by name; throws for a name nobody defined. */
export type SchemaLookup = (name: string) => StructSchema;
