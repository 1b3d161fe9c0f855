import type { Backend, Mutation, RecordId, StoredRecord } from './backend.js';
import { holds } from './compare.js';
import type { ErrorFactory } from './errors.js';
import { KeyIndex, liveAt, predecessor } from './key-index.js';
import type { KeyHistory, Version } from './key-index.js';
import { upperBound } from './key-range.js';
import type { LeaseTable } from './lease-table.js';
import { decodeHeader, encodeDelete, encodePut, recordValue } from './record-codec.js';
import type { Compare, KeyRange, KeyValue, RangeOptions, RangeResult, StoreOp, StoreOpResult, Txn, TxnResult } from './types.js';
import { isReadOnly, validateRange, validateTxn } from './validate-txn.js';
import { ValueCache } from './value-cache.js';

/** A transaction's outcome before it is durable, and what has to be written to make it so. */
export interface Plan {
  readonly result: TxnResult;
  readonly mutations: readonly Mutation[];
  /** The result holds once everything up to here is durable. */
  readonly needs: number;
}

/** A version that has become visible. */
export interface Change {
  readonly history: KeyHistory;
  readonly version: Version;
}

export interface EngineOptions {
  readonly errors: ErrorFactory;
  readonly leases: LeaseTable;
  readonly cacheBytes: number;
}

const NOTHING = new Uint8Array(0);

/**
 * The pure, synchronous core. Two revisions matter:
 * - `head`: newest planned transaction. Later plans see it, so that many can be on their way to the disk together.
 * - `visible`: newest durable transaction. Reads and watchers see nothing newer.
 *
 * `plan` moves head, `commit` moves visible, `rollback` takes head back to visible when a write failed.
 */
export class MvccEngine {
  readonly #index = new KeyIndex();
  readonly #cache: ValueCache;
  readonly #errors: ErrorFactory;
  readonly #leases: LeaseTable;
  #pending: Change[] = [];
  #head = 1;
  #visible = 1;
  #compacted = 0;

  constructor(
    readonly backend: Backend,
    options: EngineOptions,
  ) {
    this.#errors = options.errors;
    this.#leases = options.leases;
    this.#cache = new ValueCache(options.cacheBytes);
  }

  get head(): number {
    return this.#head;
  }
  get visible(): number {
    return this.#visible;
  }
  get compactRevision(): number {
    return this.#compacted;
  }
  get keyCount(): number {
    return this.#index.size;
  }

  /** Rebuild the index from the backend, and keep the newest values. Returns records an interrupted compaction left behind. */
  load(compactRevision: number): RecordId[] {
    let last = 1;
    this.#index.fill(() => {
      for (const record of this.backend.scan(0, Number.MAX_SAFE_INTEGER)) {
        this.#remember(record);
        last = record.revision;
      }
    });
    this.#head = this.#visible = Math.max(last, compactRevision, 1);
    this.#compacted = compactRevision;
    if (compactRevision === 0) return [];
    const { ids, versions } = this.#index.compact(compactRevision);
    for (const superseded of versions) this.#cache.drop(superseded);
    return ids;
  }

  #remember({ revision, sub, bytes }: StoredRecord): void {
    const { key, kind, createRevision, version, lease, valueOffset } = decodeHeader(bytes);
    const entry: Version = { modRevision: revision, sub, createRevision, version, lease, kv: undefined };
    const { versions } = this.#index.append(key, entry);
    const before = versions.length > 1 ? (versions.at(-2) as Version).lease : 0;
    this.#leases.attach(key, before, lease);
    if (kind === 'delete') return;
    // Whoever opens a store reads it all: what is remembered here is not read a second time.
    entry.kv = toKeyValue(key, entry, Buffer.from(bytes.subarray(valueOffset)));
    this.#cache.admit(entry);
  }

  range(range: KeyRange, options?: RangeOptions): RangeResult {
    validateRange(range, options, this.#errors);
    return this.#range(range, options ?? {}, this.#visible);
  }

  /** Throws without effect when the transaction is invalid. */
  plan(txn: Txn, now: number): Plan {
    validateTxn(txn, this.#errors);
    const readOnly = isReadOnly(txn);
    const base = readOnly ? this.#visible : this.#head;
    const succeeded = txn.compare.every((compare) => this.#holds(compare, base));
    const ops = succeeded ? txn.success : (txn.failure ?? []);
    const pendingBefore = this.#pending.length;
    const mutations: Mutation[] = [];
    try {
      const results = ops.map((op) => this.#apply(op, base, mutations, now));
      const wrote = mutations.length > 0;
      if (wrote) this.#head = base + 1;
      return { result: { succeeded, revision: wrote ? base + 1 : base, results }, mutations, needs: readOnly ? 0 : this.#head };
    } catch (error) {
      this.#undo(pendingBefore);
      throw error;
    }
  }

  /** Plan the deletion of exactly these keys, as far as they exist. */
  planDelete(keys: readonly string[]): Plan {
    return this.plan({ compare: [], success: keys.map((key) => ({ type: 'delete', range: { key } })) }, 0);
  }

  /** Everything up to `revision` is durable: make it visible. Returns what changed, in order. */
  commit(revision: number): Change[] {
    let n = 0;
    while (n < this.#pending.length && (this.#pending[n] as Change).version.modRevision <= revision) n++;
    const changes = this.#pending.splice(0, n);
    for (const { version } of changes) this.#cache.admit(version);
    this.#visible = Math.max(this.#visible, revision);
    return changes;
  }

  /** Forget every plan that is not visible. */
  rollback(): void {
    this.#undo(0);
    this.#head = this.#visible;
  }

  /** Throws `compacted` / `futureRevision`; changes nothing. */
  checkCompact(revision: number): void {
    if (!Number.isInteger(revision) || revision < 0) throw this.#errors.invalid(`cannot compact to revision ${revision}`);
    if (revision <= this.#compacted) throw this.#errors.compacted(revision, this.#compacted);
    if (revision > this.#visible) throw this.#errors.futureRevision(revision, this.#visible);
  }

  /** Forget versions superseded at or before `revision` and return the records to delete. */
  compact(revision: number): RecordId[] {
    this.#compacted = Math.max(this.#compacted, revision);
    const { ids, versions } = this.#index.compact(revision);
    for (const version of versions) this.#cache.drop(version);
    return ids;
  }

  /** The stored form of a version; its value comes from memory or from the backend. */
  kv(history: KeyHistory, version: Version): KeyValue {
    if (version.kv) return version.kv;
    const bytes = this.backend.read({ revision: version.modRevision, sub: version.sub });
    if (!bytes) throw this.#errors.unavailable(`the record of ${history.key} at revision ${version.modRevision} is missing`);
    version.kv = toKeyValue(history.key, version, recordValue(bytes));
    this.#cache.admit(version);
    return version.kv;
  }

  /** What the key held right before `revision`; undefined when it did not exist, or that has been compacted. */
  before(key: string, revision: number): KeyValue | undefined {
    const history = this.#index.get(key);
    const version = history && liveAt(history, revision - 1);
    return history && version ? this.kv(history, version) : undefined;
  }

  predecessor(change: Change): KeyValue | undefined {
    const version = predecessor(change.history, change.version);
    return version && this.kv(change.history, version);
  }

  /** The versions of one key with from <= revision <= visible. */
  versions(key: string, from: number): readonly Change[] {
    const history = this.#index.get(key);
    if (!history) return [];
    return history.versions.filter((v) => v.modRevision >= from && v.modRevision <= this.#visible).map((version) => ({ history, version }));
  }

  #holds(compare: Compare, revision: number): boolean {
    const history = this.#index.get(compare.key);
    const version = history && liveAt(history, revision);
    return holds(compare, version, (found) => this.kv(history as KeyHistory, found).value);
  }

  #range(range: KeyRange, options: RangeOptions, current: number): RangeResult {
    const at = options.revision || current;
    if (at > current) throw this.#errors.futureRevision(at, current);
    if (at < this.#compacted) throw this.#errors.compacted(at, this.#compacted);
    const limit = options.countOnly ? 0 : options.limit || Number.POSITIVE_INFINITY;
    const kvs: KeyValue[] = [];
    let count = 0;
    const take = (history: KeyHistory): boolean => {
      const version = liveAt(history, at);
      if (!version) return true;
      if (count++ < limit) kvs.push(options.keysOnly ? toKeyValue(history.key, version, NOTHING) : this.kv(history, version));
      return true;
    };
    if (range.end === undefined) {
      const history = this.#index.get(range.key);
      if (history) take(history);
    } else {
      this.#index.visit(range.key, upperBound(range), take);
    }
    return { kvs, more: !options.countOnly && count > kvs.length, count, revision: current };
  }

  #apply(op: StoreOp, base: number, mutations: Mutation[], now: number): StoreOpResult {
    switch (op.type) {
      case 'put':
        return this.#put(op, base, mutations, now);
      case 'delete':
        return this.#delete(op, base, mutations);
      case 'range': {
        // Sees what earlier operations of this transaction did.
        const current = mutations.length > 0 ? base + 1 : base;
        return { type: 'range', result: this.#range(op.range, op.options ?? {}, current) };
      }
    }
  }

  #put(op: StoreOp & { type: 'put' }, base: number, mutations: Mutation[], now: number): StoreOpResult {
    const lease = op.lease ?? 0;
    if (lease !== 0) this.#leases.assertUsable(lease, now);
    const revision = base + 1;
    const history = this.#index.get(op.key);
    const previous = history && liveAt(history, revision);
    const prevKv = op.prevKv && history && previous ? this.kv(history, previous) : undefined;
    const createRevision = previous?.createRevision ?? revision;
    const number = (previous?.version ?? 0) + 1;
    const bytes = encodePut(op.key, createRevision, number, lease, op.value);
    this.#record(op.key, previous, { revision, createRevision, number, lease, bytes }, mutations);
    return prevKv ? { type: 'put', prevKv } : { type: 'put' };
  }

  #delete(op: StoreOp & { type: 'delete' }, base: number, mutations: Mutation[]): StoreOpResult {
    const revision = base + 1;
    const found: Change[] = [];
    const take = (history: KeyHistory): boolean => {
      const version = liveAt(history, revision);
      if (version) found.push({ history, version });
      return true;
    };
    const single = op.range.end === undefined ? this.#index.get(op.range.key) : undefined;
    if (single) take(single);
    else if (op.range.end !== undefined) this.#index.visit(op.range.key, upperBound(op.range), take);
    const prevKvs = op.prevKv ? found.map((f) => this.kv(f.history, f.version)) : undefined;
    for (const { history, version } of found) {
      const bytes = encodeDelete(history.key);
      this.#record(history.key, version, { revision, createRevision: 0, number: 0, lease: 0, bytes }, mutations);
    }
    return prevKvs ? { type: 'delete', deleted: found.length, prevKvs } : { type: 'delete', deleted: found.length };
  }

  #record(
    key: string,
    previous: Version | undefined,
    next: { revision: number; createRevision: number; number: number; lease: number; bytes: Buffer },
    mutations: Mutation[],
  ): void {
    const { revision, createRevision, number, lease, bytes } = next;
    const sub = mutations.length;
    const version: Version = { modRevision: revision, sub, createRevision, version: number, lease, kv: undefined };
    version.kv = toKeyValue(key, version, number === 0 ? NOTHING : recordValue(bytes));
    this.#pending.push({ history: this.#index.append(key, version), version });
    this.#leases.attach(key, previous?.lease ?? 0, lease);
    mutations.push({ type: 'record', record: { revision, sub, bytes } });
  }

  #undo(keep: number): void {
    while (this.#pending.length > keep) {
      const { history, version } = this.#pending.pop() as Change;
      this.#index.undo(history);
      this.#leases.attach(history.key, version.lease, history.versions.at(-1)?.lease ?? 0);
    }
  }
}

function toKeyValue(key: string, version: Version, value: Uint8Array): KeyValue {
  const { createRevision, modRevision, lease } = version;
  return { key, value, createRevision, modRevision, version: version.version, lease };
}
