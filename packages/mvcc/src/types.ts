/*
 * Structural twins of the StateStore contract in @coxswain/sdk (mvcc stands below the SDK and may not import it).
 * A `RevisionedStore` is assignable to the SDK's `StateStore` as far as their methods overlap; the compiler checks it
 * in every plugin that uses it.
 */

/** One version of one key. The store owns the buffers: nobody modifies them. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: number;
}

/** `end` absent: the single key; else the half-open interval [key, end). An `end` of '\0' means "to the last key". */
export interface KeyRange {
  readonly key: string;
  readonly end?: string;
}

export interface RangeOptions {
  readonly revision?: number;
  readonly limit?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
  readonly revision: number;
}

export type CompareOp = '=' | '!=' | '<' | '>';

export type Compare =
  | { readonly key: string; readonly target: 'mod' | 'create' | 'version'; readonly op: CompareOp; readonly operand: number }
  | { readonly key: string; readonly target: 'value'; readonly op: CompareOp; readonly operand: Uint8Array };

export type StoreOp =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      readonly lease?: number;
      readonly prevKv?: boolean;
    }
  | { readonly type: 'delete'; readonly range: KeyRange; readonly prevKv?: boolean }
  | { readonly type: 'range'; readonly range: KeyRange; readonly options?: RangeOptions };

export interface Txn {
  readonly compare: readonly Compare[];
  readonly success: readonly StoreOp[];
  readonly failure?: readonly StoreOp[];
}

export type StoreOpResult =
  | { readonly type: 'put'; readonly prevKv?: KeyValue }
  | { readonly type: 'delete'; readonly deleted: number; readonly prevKvs?: readonly KeyValue[] }
  | { readonly type: 'range'; readonly result: RangeResult };

export interface TxnResult {
  readonly succeeded: boolean;
  readonly revision: number;
  readonly results: readonly StoreOpResult[];
}

export type WatchEvent =
  | { readonly type: 'put'; readonly kv: KeyValue; readonly prevKv?: KeyValue }
  | { readonly type: 'delete'; readonly kv: KeyValue; readonly prevKv?: KeyValue };

export interface WatchBatch {
  readonly revision: number;
  readonly events: readonly WatchEvent[];
}

export interface WatchRequest {
  readonly range: KeyRange;
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  readonly progressNotify?: boolean;
}

export interface LeaseStatus {
  readonly id: number;
  readonly grantedTtlSeconds: number;
  readonly remainingTtlSeconds: number;
  readonly keys: readonly string[];
}
