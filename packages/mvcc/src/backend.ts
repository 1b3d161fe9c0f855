/** One stored record: version `sub` of the transaction at `revision`. `bytes` is opaque (see record-codec.ts). */
export interface StoredRecord {
  readonly revision: number;
  readonly sub: number;
  readonly bytes: Uint8Array;
}

export interface RecordId {
  readonly revision: number;
  readonly sub: number;
}

export type Mutation =
  | { readonly type: 'record'; readonly record: StoredRecord }
  | { readonly type: 'lease-put'; readonly id: number; readonly ttlSeconds: number }
  | { readonly type: 'lease-delete'; readonly id: number }
  | { readonly type: 'compact'; readonly revision: number };

export interface StoredLease {
  readonly id: number;
  readonly ttlSeconds: number;
}

export interface BackendState {
  /** 0 when never compacted. */
  readonly compactRevision: number;
  readonly leases: readonly StoredLease[];
}

/**
 * Where a `RevisionedStore` keeps its records. A log keyed by (revision, sub), some leases and one number:
 * a backend needs no index and no knowledge of keys.
 *
 * Reads are synchronous: a backend answers from memory or a memory map. Records are immutable.
 */
export interface Backend {
  load(): BackendState;
  /** Records with from <= revision <= to in (revision, sub) order. The bytes may only be valid until the next step. */
  scan(from: number, to: number): Iterable<StoredRecord>;
  read(id: RecordId): Uint8Array | undefined;
  /** The revision of the newest record, 0 when there is none. Used to find out whether a failed append took place. */
  lastRevision(): number;
  /** Atomic; resolves once durable. Never called again before the previous call has settled. */
  append(mutations: readonly Mutation[]): Promise<void>;
  /** Forget superseded records. Need not be durable: what a crash leaves over is offered again after loading. */
  deleteRecords(ids: readonly RecordId[]): Promise<void>;
  close(): Promise<void>;
}
