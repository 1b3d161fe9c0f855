import { renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BackendState, Mutation, RecordId, StoredLease, StoredRecord } from '@coxswain/mvcc';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { checkFile, corrupt } from './check-file.js';
import { crc32 } from './crc.js';
import { noSpace, translate } from './translate-error.js';

/** 2: beside the file there is a journal, with the newest of the records. */
const FORMAT = 'coxswain-store/2';
const READABLE = new Set([FORMAT, 'coxswain-store/1']);
const EIO = 5;
/**
 * What must stay free. LMDB 3.5's native code damages its heap when a write is cut short by a full disk, so a write that might not
 * fit is refused before LMDB sees it. Also, with less than this free, a failed write is blamed on the lack of space.
 */
export const RESERVE_BYTES = 4 * 1024 * 1024;
/** Pages written for a byte of records: leaves are half full, and the tree above them is copied. */
const WRITE_AMPLIFICATION = 2;
const KEY_FORMAT = Buffer.from('format');
const KEY_COMPACT = Buffer.from('compact');
const KEY_APPLIED = Buffer.from('applied');

interface Env {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** (revision u64, sub u32), big-endian → crc32, record. */
  readonly log: Database<Buffer, Buffer>;
  /** `format`, `compact`, `applied` (the newest append of the journal that is here, u64). */
  readonly meta: Database<Buffer, Buffer>;
  /** id u64 → TTL in seconds, f64. */
  readonly leases: Database<Buffer, Buffer>;
}

/** lmdb's `put` takes options as well as a version number; its types only say so for `putSync`. */
interface Appending {
  put(key: Buffer, value: Buffer, options: { readonly append: true }): Promise<boolean>;
}

/**
 * The record log in one LMDB file. Only asynchronous writes are used: LMDB's write thread syncs the data pages, then
 * writes the meta page synchronously, and only then is a write acknowledged (`overlappingSync: false`).
 */
export class LmdbBackend {
  #env: Env;

  constructor(readonly path: string) {
    // Nobody else uses the folder (see directory-lock.ts), so LMDB's own lock file is a left-over.
    rmSync(`${path}-lock`, { force: true });
    rmSync(`${path}.defragment`, { force: true });
    this.#env = openEnv(path);
  }

  get sizeBytes(): number {
    return statSync(this.path).size;
  }

  /** Put the format mark into a new file. */
  async init(): Promise<void> {
    if (this.#env.meta.getBinary(KEY_FORMAT)?.toString() === FORMAT) return;
    await this.#write((env) => {
      void env.meta.put(KEY_FORMAT, Buffer.from(FORMAT)).catch(ignore);
    });
  }

  load(): BackendState {
    return this.#guard(() => {
      const { meta, leases } = this.#env;
      const compact = meta.getBinary(KEY_COMPACT);
      const stored: StoredLease[] = [];
      for (const { key, value } of leases.getRange({})) {
        stored.push({ id: Number(key.readBigUInt64BE(0)), ttlSeconds: value.readDoubleBE(0) });
      }
      return { compactRevision: compact ? Number(compact.readBigUInt64BE(0)) : 0, leases: stored };
    });
  }

  *scan(from: number, to: number): Iterable<StoredRecord> {
    const end = to >= Number.MAX_SAFE_INTEGER ? Buffer.alloc(13, 0xff) : recordKey(to + 1, 0);
    for (const { key, value } of this.#env.log.getRange({ start: recordKey(from, 0), end })) {
      const revision = key.readUInt32BE(0) * 2 ** 32 + key.readUInt32BE(4);
      yield { revision, sub: key.readUInt32BE(8), bytes: this.#verify(value, revision) };
    }
  }

  read(id: RecordId): Uint8Array | undefined {
    const value = this.#env.log.getBinary(recordKey(id.revision, id.sub));
    return value && this.#verify(value, id.revision);
  }

  lastRevision(): number {
    this.#env.root.resetReadTxn();
    for (const key of this.#env.log.getKeys({ reverse: true, limit: 1 })) return Number(key.readBigUInt64BE(0));
    return 0;
  }

  /** The number last given to `append`; 0 when there is none. */
  applied(): number {
    return this.#guard(() => {
      const value = this.#env.meta.getBinary(KEY_APPLIED);
      return value ? Number(value.readBigUInt64BE(0)) : 0;
    });
  }

  /** Atomic; resolves once durable and visible to reads. `applied`: how far the journal has come with it. */
  async append(mutations: readonly Mutation[], applied: number): Promise<void> {
    const bytes = mutations.reduce((sum, m) => sum + (m.type === 'record' ? m.record.bytes.length : 0), 0);
    await this.#write((env) => {
      for (const mutation of mutations) apply(env, mutation);
      void env.meta.put(KEY_APPLIED, u64(applied)).catch(ignore);
    }, bytes);
    this.#env.root.resetReadTxn();
  }

  async deleteRecords(ids: readonly RecordId[]): Promise<void> {
    // What frees space may use up most of the reserve.
    await this.#write(
      (env) => {
        for (const { revision, sub } of ids) void env.log.remove(recordKey(revision, sub)).catch(ignore);
      },
      0,
      RESERVE_BYTES / 4,
    );
  }

  /** A consistent copy of everything durable, without the free pages. */
  async copyTo(path: string): Promise<void> {
    rmSync(path, { force: true });
    try {
      await this.#env.root.backup(path, true);
    } catch (error) {
      rmSync(path, { force: true });
      throw translate(error, this.path);
    }
  }

  /** Replace the file by its compacted copy. Nothing may be written meanwhile; reads go on. */
  async defragment(): Promise<void> {
    const copy = `${this.path}.defragment`;
    await this.copyTo(copy);
    const old = this.#env;
    renameSync(copy, this.path);
    // The old environment keeps its (now nameless) lock file; sharing it would end with the old one's closing.
    rmSync(`${this.path}-lock`, { force: true });
    this.#env = openEnv(this.path);
    await old.root.close();
  }

  async close(): Promise<void> {
    await this.#env.root.flushed;
    await this.#env.root.close();
  }

  async #write(fill: (env: Env) => void, bytes = 0, reserve = RESERVE_BYTES): Promise<void> {
    const { bavail, bsize } = statfsSync(dirname(this.path));
    if (bavail * bsize < reserve + bytes * WRITE_AMPLIFICATION) throw noSpace(this.path);
    try {
      await this.#env.root.batch(() => fill(this.#env));
    } catch (error) {
      throw await this.#failure(await causeOf(error));
    }
  }

  /** LMDB reports a write cut short by a full disk as an I/O error. */
  async #failure(error: unknown): Promise<Error> {
    if ((error as { code?: unknown }).code === EIO) {
      const { bavail, bsize } = await statfs(dirname(this.path));
      if (bavail * bsize < RESERVE_BYTES) return noSpace(this.path, error);
    }
    return translate(error, this.path);
  }

  #verify(value: Buffer, revision: number): Buffer {
    const bytes = value.subarray(4);
    if (value.length < 4 || crc32(bytes) !== value.readUInt32BE(0)) {
      throw corrupt(this.path, `the record of revision ${revision} is damaged`);
    }
    return bytes;
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw translate(error, this.path);
    }
  }
}

function openEnv(path: string): Env {
  checkFile(path);
  const binary = { keyEncoding: 'binary', encoding: 'binary', cache: false } as const;
  let root: RootDatabase<Buffer, Buffer>;
  try {
    root = open<Buffer, Buffer>({
      path,
      noSubdir: true,
      overlappingSync: false,
      // Batches are explicit here; with it, lmdb makes promises of its own whose rejection nobody could handle.
      eventTurnBatching: false,
      maxDbs: 8,
      ...binary,
    });
  } catch (error) {
    throw translate(error, path);
  }
  try {
    const env: Env = {
      root,
      log: root.openDB<Buffer, Buffer>('log', binary),
      meta: root.openDB<Buffer, Buffer>('meta', binary),
      leases: root.openDB<Buffer, Buffer>('leases', binary),
    };
    const format = env.meta.getBinary(KEY_FORMAT)?.toString();
    if (format === undefined) {
      for (const _ of env.log.getKeys({ limit: 1 })) throw corrupt(path, 'it holds records but no format mark');
    } else if (!READABLE.has(format)) {
      throw corrupt(path, `its format is ${format}, and this version reads ${FORMAT}`);
    }
    return env;
  } catch (error) {
    void root.close();
    throw translate(error, path);
  }
}

function apply(env: Env, mutation: Mutation): void {
  switch (mutation.type) {
    case 'record': {
      const { revision, sub, bytes } = mutation.record;
      const value = Buffer.allocUnsafeSlow(bytes.length + 4);
      value.writeUInt32BE(crc32(bytes), 0);
      value.set(bytes, 4);
      // Revisions only grow: appending keeps LMDB's pages full.
      const log = env.log as Appending;
      void log.put(recordKey(revision, sub), value, { append: true }).catch(ignore);
      break;
    }
    case 'lease-put': {
      const value = Buffer.allocUnsafeSlow(8);
      value.writeDoubleBE(mutation.ttlSeconds, 0);
      void env.leases.put(u64(mutation.id), value).catch(ignore);
      break;
    }
    case 'lease-delete':
      void env.leases.remove(u64(mutation.id)).catch(ignore);
      break;
    case 'compact':
      void env.meta.put(KEY_COMPACT, u64(mutation.revision)).catch(ignore);
  }
}

// The batch's own promise reports the failure of all its writes.
function ignore(): void {}

async function causeOf(error: unknown): Promise<unknown> {
  const pending = (error as { commitError?: Promise<unknown> }).commitError;
  if (!pending) return error;
  return pending.then(
    () => error,
    (cause: unknown) => cause,
  );
}

function u64(n: number): Buffer {
  const out = Buffer.allocUnsafeSlow(8);
  out.writeBigUInt64BE(BigInt(n), 0);
  return out;
}

function recordKey(revision: number, sub: number): Buffer {
  const out = Buffer.allocUnsafe(12);
  out.writeUInt32BE(Math.floor(revision / 2 ** 32), 0);
  out.writeUInt32BE(revision >>> 0, 4);
  out.writeUInt32BE(sub, 8);
  return out;
}
