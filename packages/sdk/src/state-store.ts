import { token } from './token.js';

/** A store revision: starts at 1 for an empty store, grows by one per write transaction, never reused. */
export type Revision = number;

/** Lease id; 0 means "no lease". */
export type LeaseId = number;

/** One version of one key. Buffers are owned by the store: callers must not modify them. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the transaction that created this key (this generation of it). */
  readonly createRevision: Revision;
  /** Revision of the transaction that wrote this version. */
  readonly modRevision: Revision;
  /** 1 at creation, +1 per write. */
  readonly version: number;
  readonly lease: LeaseId;
}

/** `end` absent: the single key. `end` present: the half-open interval [key, end). Use `prefixRange()` for prefixes. */
export interface KeyRange {
  readonly key: string;
  readonly end?: string;
}

export interface RangeOptions {
  /** Read as of this revision; absent: the newest. Throws `CompactedError` / `FutureRevisionError`. */
  readonly revision?: Revision;
  /** At most this many key-values; `more` tells whether some were left out. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the whole range, regardless of `limit`. */
  readonly count: number;
  /** The store's revision when the read was made (not the read-at revision). */
  readonly revision: Revision;
}

/** Compare-and-swap conditions. A key that does not exist has modRevision, createRevision and version 0. */
export type Compare =
  | { readonly key: string; readonly target: 'mod' | 'create' | 'version'; readonly op: '=' | '!=' | '<' | '>'; readonly operand: number }
  | { readonly key: string; readonly target: 'value'; readonly op: '=' | '!=' | '<' | '>'; readonly operand: Uint8Array };

export type StoreOp =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: LeaseId; readonly prevKv?: boolean }
  | { readonly type: 'delete'; readonly range: KeyRange; readonly prevKv?: boolean }
  | { readonly type: 'range'; readonly range: KeyRange; readonly options?: RangeOptions };

export interface Txn {
  /** All must hold for `success` to run; otherwise `failure` runs. */
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
  /** The revision of this transaction when it wrote, else the store's revision. */
  readonly revision: Revision;
  readonly results: readonly StoreOpResult[];
}

export type WatchEvent =
  /** `prevKv` is set when asked for, absent when the key did not exist. */
  | { readonly type: 'put'; readonly kv: KeyValue; readonly prevKv?: KeyValue }
  /** For a delete `kv.value` is empty and `kv.modRevision` is the revision of the delete. */
  | { readonly type: 'delete'; readonly kv: KeyValue; readonly prevKv?: KeyValue };

/** All events of one or more whole transactions, in revision order; a transaction is never split over two batches. */
export interface WatchBatch {
  /** Everything up to and including this revision has been delivered. An empty `events` is a progress notification. */
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
}

export interface WatchRequest {
  readonly range: KeyRange;
  /** First revision wanted; absent: from now on. Throws `CompactedError` when it is gone. */
  readonly startRevision?: Revision;
  readonly prevKv?: boolean;
  /** Also deliver empty batches now and then, and at least once when the watcher has caught up. */
  readonly progressNotify?: boolean;
}

export interface LeaseStatus {
  readonly id: LeaseId;
  readonly grantedTtlSeconds: number;
  /** -1: expired or unknown. */
  readonly remainingTtlSeconds: number;
  readonly keys: readonly string[];
}

export interface StoreStatus {
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly sizeBytes: number;
  /** False while there is no quorum, or the disk refuses writes. */
  readonly healthy: boolean;
  readonly message?: string;
}

/**
 * The cluster's memory: a revisioned key-value store with etcd v3's semantics.
 *
 * Contract (held by `stateStoreSuite` in @coxswain/sdk-testing):
 * - `txn` is atomic and linearizable, and acknowledged only once durable. A crash keeps every acknowledged write.
 * - Revisions grow by exactly one per writing transaction; all puts of a transaction share its revision.
 * - A watcher sees every event of its range once, in order. A slow watcher never blocks a writer; one that falls behind
 *   compaction ends with `CompactedError`.
 * - Nothing is overwritten: old revisions stay readable until `compact`.
 * - Methods reject with `StoreError`s (see store-errors.ts); `StoreUnavailableError` is the only retryable one.
 */
export interface StateStore {
  range(range: KeyRange, options?: RangeOptions, signal?: AbortSignal): Promise<RangeResult>;
  txn(txn: Txn, signal?: AbortSignal): Promise<TxnResult>;
  /** Ends when the signal aborts (without an error) or throws a `StoreError`. */
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /** Forget versions superseded at or before this revision. Reads and watches below it then fail with `CompactedError`. */
  compact(revision: Revision): Promise<void>;
  leaseGrant(ttlSeconds: number, id?: LeaseId): Promise<LeaseStatus>;
  /** Renews; rejects with `LeaseNotFoundError` when it has expired. */
  leaseKeepAlive(id: LeaseId): Promise<LeaseStatus>;
  /** Deletes the lease and, in one transaction, its keys. */
  leaseRevoke(id: LeaseId): Promise<void>;
  leaseStatus(id: LeaseId): Promise<LeaseStatus>;
  leases(): Promise<readonly LeaseId[]>;
  status(): Promise<StoreStatus>;
  /**
   * The newest visible revision, when the store knows it without I/O (embedded stores): makes linearizable cache reads free.
   * Absent where only a round trip can tell (etcd).
   */
  currentRevision?(): Revision;
  /** A consistent copy of the whole store, in the store's own format, for backup. */
  snapshot(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Gives freed space back to the file system, where the store can. */
  defragment(): Promise<void>;
  /** Idempotent; waits until acknowledged writes are safe. */
  close(): Promise<void>;
}

export const StateStore = token<StateStore>('coxswain.store.v1');

/** The range of all keys that start with `prefix`. */
export function prefixRange(prefix: string): KeyRange {
  const last = prefix.length - 1;
  return { key: prefix, end: prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1) };
}
