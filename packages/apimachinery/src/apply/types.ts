import type { KubeObject, SchemaLookup, TypeSchema } from '@coxswain/api';
import type { FieldSet } from './field-set.js';

/** What field management knows of the resource written to. Build it once per (definition, subresource) and reuse it: compiled schemas are cached on `lookup`. */
export interface FieldManagement {
  /** Schema of the object at `apiVersion`, e.g. `{ kind: 'ref', name: 'io.k8s.api.core.v1.Pod' }`. */
  readonly schema: TypeSchema;
  readonly lookup: SchemaLookup;
  /** The version the request is in: `apps/v1`. `live`, `patch`, `old` and `object` are all in it. */
  readonly apiVersion: string;
  /** `''` or absent for the main resource. */
  readonly subresource?: string;
  /** Fields this endpoint drops or resets (`status` on the main resource, `spec` on /status): never owned by what is written here. */
  readonly resetFields?: FieldSet;
  /**
   * The object in another of its versions, for managers that wrote in it; undefined when that version is no longer served
   * (its entries are then dropped). Absent: versions differ in name only.
   */
  readonly convert?: (object: KubeObject, apiVersion: string) => { readonly object: KubeObject; readonly schema: TypeSchema } | undefined;
}

export interface ApplyRequest extends FieldManagement {
  /** The stored object, or undefined when apply creates. Not changed. */
  readonly live: KubeObject | undefined;
  /** The applied configuration, parsed. Not changed. */
  readonly patch: KubeObject;
  readonly manager: string;
  readonly force: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ApplyResult {
  /** A new object that shares nothing with the inputs (but the sets in `managedFields`, which are never changed); run defaulting and the strategy's `prepareForUpdate` on it next. */
  readonly object: KubeObject;
  /** False: the apply changed neither the object nor the managers; nothing has to be written. */
  readonly changed: boolean;
}

export interface UpdateRequest extends FieldManagement {
  /** The stored object, or undefined for a create. Not changed. */
  readonly old: KubeObject | undefined;
  /** The new object, after defaulting and `prepare…`. Its `metadata.managedFields` are set in place. */
  readonly object: KubeObject;
  readonly manager: string;
  readonly now: number;
}
