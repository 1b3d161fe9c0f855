import { dirname } from 'node:path';
import type { Backend, BackendState, Mutation, RecordId, StoredRecord } from '@coxswain/mvcc';
import { NoSpaceError } from '@coxswain/sdk';
import { Journal } from './journal.js';
import type { Frame } from './journal-frame.js';
import type { LmdbBackend } from './lmdb-backend.js';
import { RESERVE_BYTES } from './lmdb-backend.js';

/** What waits in the journal before it goes on to LMDB. */
const SETTLE_BYTES = 256 * 1024;
/** Of one transaction of LMDB's: what is made of it is made on the main thread, in one go. */
const SETTLE_FRAMES = 128;
const SETTLE_MUTATIONS = 256;

/**
 * LMDB behind a journal. An append is durable, and acknowledged, once it is in the journal: one write instead of a tree's pages, their
 * sync and the sync of their root. LMDB gets it later, many appends in one transaction that also says how far it has come; what it does
 * not have yet is in memory, and after a crash in the journal.
 */
export class JournaledBackend implements Backend {
  readonly #journal: Journal;
  /** In the journal and not in LMDB, oldest first. */
  #waiting: Frame[];
  #waitingBytes = 0;
  /** Their records, by revision. */
  readonly #records = new Map<number, StoredRecord[]>();
  #settling: Promise<void> | undefined;

  constructor(readonly lmdb: LmdbBackend) {
    const { journal, frames } = Journal.open(dirname(lmdb.path), lmdb.applied());
    this.#journal = journal;
    this.#waiting = [];
    for (const frame of frames) this.#wait(frame);
  }

  get sizeBytes(): number {
    return this.lmdb.sizeBytes + this.#journal.sizeBytes;
  }

  /** Before anything else. When it rejects, the journal is closed again, and `lmdb` is not. */
  async init(): Promise<void> {
    try {
      await this.lmdb.init();
      // Without space it stays where it is, and reads go on.
      await this.settle().catch(unlessNoSpace);
    } catch (error) {
      this.#journal.close();
      throw error;
    }
  }

  load(): BackendState {
    const stored = this.lmdb.load();
    let { compactRevision } = stored;
    const leases = new Map(stored.leases.map((lease) => [lease.id, lease]));
    for (const mutation of this.#waiting.flatMap((frame) => frame.mutations)) {
      if (mutation.type === 'compact') compactRevision = mutation.revision;
      else if (mutation.type === 'lease-put') leases.set(mutation.id, mutation);
      else if (mutation.type === 'lease-delete') leases.delete(mutation.id);
    }
    return { compactRevision, leases: [...leases.values()] };
  }

  *scan(from: number, to: number): Iterable<StoredRecord> {
    yield* this.lmdb.scan(from, to);
    for (const [revision, records] of this.#records) if (revision >= from && revision <= to) yield* records;
  }

  read(id: RecordId): Uint8Array | undefined {
    const waiting = this.#records.get(id.revision);
    return waiting ? waiting.find(({ sub }) => sub === id.sub)?.bytes : this.lmdb.read(id);
  }

  lastRevision(): number {
    let last = 0;
    for (const revision of this.#records.keys()) last = revision;
    return last || this.lmdb.lastRevision();
  }

  async append(mutations: readonly Mutation[]): Promise<void> {
    const length = Journal.lengthOf(mutations);
    while (!this.#journal.fits(length, this.#applied)) await this.settle();
    this.#wait(await this.#journal.append(mutations, RESERVE_BYTES));
    // A failure is told to whoever needs the room.
    if (this.#waitingBytes >= SETTLE_BYTES) this.settle().catch(() => {});
  }

  async deleteRecords(ids: readonly RecordId[]): Promise<void> {
    await this.settle();
    await this.lmdb.deleteRecords(ids);
  }

  /** A consistent copy of everything that is durable now. */
  async copyTo(path: string): Promise<void> {
    await this.settle();
    await this.lmdb.copyTo(path);
  }

  /** Nothing may be written meanwhile; reads go on. */
  async defragment(): Promise<void> {
    await this.settle();
    await this.lmdb.defragment();
  }

  async close(): Promise<void> {
    try {
      await this.settle();
      this.#journal.clear();
    } catch (error) {
      // It is in the journal: the next start has it.
      unlessNoSpace(error);
    } finally {
      this.#journal.close();
      await this.lmdb.close();
    }
  }

  /** Bring what is in the journal now to LMDB. */
  async settle(): Promise<void> {
    const upTo = this.#journal.sequence;
    while (this.#applied < upTo) {
      this.#settling ??= this.#settleSome().finally(() => {
        this.#settling = undefined;
      });
      await this.#settling;
    }
  }

  /** The newest append LMDB has. */
  get #applied(): number {
    const oldest = this.#waiting[0];
    return oldest ? oldest.sequence - 1 : this.#journal.sequence;
  }

  async #settleSome(): Promise<void> {
    const frames: Frame[] = [];
    let mutations = 0;
    for (const frame of this.#waiting) {
      if (frames.length > 0 && (frames.length >= SETTLE_FRAMES || mutations + frame.mutations.length > SETTLE_MUTATIONS)) break;
      frames.push(frame);
      mutations += frame.mutations.length;
    }
    const last = frames.at(-1);
    if (!last) return;
    await this.lmdb.append(
      frames.flatMap((frame) => frame.mutations),
      last.sequence,
    );
    this.#waiting.splice(0, frames.length);
    for (const { mutations, length } of frames) {
      this.#waitingBytes -= length;
      for (const mutation of mutations) if (mutation.type === 'record') this.#records.delete(mutation.record.revision);
    }
  }

  #wait(frame: Frame): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    for (const mutation of frame.mutations) {
      if (mutation.type !== 'record') continue;
      const { record } = mutation;
      const others = this.#records.get(record.revision);
      if (others) others.push(record);
      else this.#records.set(record.revision, [record]);
    }
  }
}

function unlessNoSpace(error: unknown): void {
  if (!(error instanceof NoSpaceError)) throw error;
}
