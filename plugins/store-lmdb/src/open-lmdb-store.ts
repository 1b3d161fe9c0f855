import { closeSync, createReadStream, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RevisionedStore } from '@coxswain/mvcc';
import { NoSpaceError, StoreUnavailableError, storeErrors } from '@coxswain/sdk';
import type {
  Clock,
  KeyRange,
  LeaseId,
  LeaseStatus,
  Logger,
  RangeOptions,
  RangeResult,
  Revision,
  StateStore,
  StoreStatus,
  Txn,
  TxnResult,
  WatchBatch,
  WatchRequest,
} from '@coxswain/sdk';
import { lockDirectory } from './directory-lock.js';
import type { Unlock } from './directory-lock.js';
import { JournaledBackend } from './journaled-backend.js';
import { LmdbBackend } from './lmdb-backend.js';
import { translate } from './translate-error.js';

export interface LmdbStoreOptions {
  /** Folder of the store; made when missing (mode 0700). */
  readonly path: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Values kept in memory, in bytes. Default 16 MiB; what does not fit is read from LMDB's memory map. */
  readonly cacheBytes?: number;
  /** Undelivered events a watcher may have before it is left to read history. Default 1000. */
  readonly watchBufferEvents?: number;
  /** How often quiet watchers with `progressNotify` hear of the store's revision. Default 5000 ms. */
  readonly progressIntervalMs?: number;
}

const TICK_MS = 500;

/**
 * Open, or make, the store in a folder. Rejects with `CorruptStoreError` (the file is damaged or something else),
 * `StoreUnavailableError` (another process has it open) or `NoSpaceError`; the folder is unlocked again then.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<StateStore> {
  const { path } = options;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw translate(error, path);
  }
  const unlock = lockDirectory(path);
  let lmdb: LmdbBackend | undefined;
  try {
    lmdb = new LmdbBackend(join(path, 'store.mdb'));
    const backend = new JournaledBackend(lmdb);
    await backend.init();
    syncDirectory(path);
    return new LmdbStore(backend, options, unlock);
  } catch (error) {
    await lmdb?.close();
    unlock();
    throw translate(error, join(path, 'store.mdb'));
  }
}

class LmdbStore implements StateStore {
  readonly #store: RevisionedStore;
  #cancelTick = () => {};
  /** Set while the disk refuses writes; cleared by the first write that succeeds. */
  #full: { readonly message: string; readonly revision: Revision } | undefined;
  #closing: Promise<void> | undefined;
  #lastProgress: number;
  #copies = 0;

  constructor(
    readonly backend: JournaledBackend,
    readonly options: LmdbStoreOptions,
    readonly unlock: Unlock,
  ) {
    const { clock, cacheBytes, watchBufferEvents } = options;
    this.#store = new RevisionedStore(backend, {
      now: () => clock.monotonic(),
      // Whoever a finished write wakes up gets to queue the next one before the group is closed.
      defer: (fn) => void setImmediate(fn),
      errors: storeErrors,
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
      ...(watchBufferEvents === undefined ? {} : { watchBufferEvents }),
    });
    this.#lastProgress = clock.monotonic();
    this.#scheduleTick();
    this.#store.deleteLeftovers().catch((err: unknown) => options.logger?.warn('cleaning up after a compaction failed', { err }));
  }

  range(range: KeyRange, options?: RangeOptions, signal?: AbortSignal): Promise<RangeResult> {
    return this.#store.range(range, options, signal);
  }
  txn(txn: Txn, signal?: AbortSignal): Promise<TxnResult> {
    return this.#writing(this.#store.txn(txn, signal));
  }
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return this.#store.watch(request, signal);
  }
  compact(revision: Revision): Promise<void> {
    return this.#writing(this.#store.compact(revision));
  }
  leaseGrant(ttlSeconds: number, id?: LeaseId): Promise<LeaseStatus> {
    return this.#writing(this.#store.leaseGrant(ttlSeconds, id));
  }
  leaseKeepAlive(id: LeaseId): Promise<LeaseStatus> {
    return this.#store.leaseKeepAlive(id);
  }
  leaseRevoke(id: LeaseId): Promise<void> {
    return this.#writing(this.#store.leaseRevoke(id));
  }
  leaseStatus(id: LeaseId): Promise<LeaseStatus> {
    return this.#store.leaseStatus(id);
  }
  leases(): Promise<readonly LeaseId[]> {
    return this.#store.leases();
  }

  currentRevision(): number {
    return this.#store.revision;
  }

  async status(): Promise<StoreStatus> {
    this.#assertOpen();
    const { revision, compactRevision } = this.#store;
    const base = { revision, compactRevision, sizeBytes: this.backend.sizeBytes };
    return this.#full === undefined ? { ...base, healthy: true } : { ...base, healthy: false, message: this.#full.message };
  }

  async *snapshot(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    this.#assertOpen();
    signal?.throwIfAborted();
    const copy = join(this.options.path, `snapshot.${process.pid}.${++this.#copies}`);
    try {
      await this.backend.copyTo(copy);
      for await (const chunk of createReadStream(copy, { highWaterMark: 256 * 1024 })) {
        signal?.throwIfAborted();
        yield chunk as Uint8Array;
      }
    } finally {
      rmSync(copy, { force: true });
      rmSync(`${copy}-lock`, { force: true });
    }
  }

  async defragment(): Promise<void> {
    this.#assertOpen();
    await this.#store.exclusive(async () => {
      await this.backend.defragment();
      syncDirectory(this.options.path);
    });
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#cancelTick();
      try {
        await this.#store.close();
      } finally {
        this.unlock();
      }
    })();
    return this.#closing;
  }

  async #writing<T>(write: Promise<T>): Promise<T> {
    try {
      const result = await write;
      if (this.#full && this.#store.revision > this.#full.revision) this.#full = undefined;
      return result;
    } catch (error) {
      if (error instanceof NoSpaceError) {
        if (this.#full === undefined) this.options.logger?.error('the store cannot write', { err: error });
        this.#full = { message: error.message, revision: this.#store.revision };
      }
      throw error;
    }
  }

  #scheduleTick(): void {
    this.#cancelTick = this.options.clock.setTimeout(() => {
      void this.#store.tick();
      const now = this.options.clock.monotonic();
      if (now - this.#lastProgress >= (this.options.progressIntervalMs ?? 5000)) {
        this.#lastProgress = now;
        this.#store.notifyProgress();
      }
      if (!this.#closing) this.#scheduleTick();
    }, TICK_MS);
  }

  #assertOpen(): void {
    if (this.#closing) throw new StoreUnavailableError('the store is closed');
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
