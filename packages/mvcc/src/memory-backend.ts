import type { Backend, BackendState, Mutation, RecordId, StoredLease, StoredRecord } from './backend.js';
import { SortedMap } from './sorted-map.js';

/** A backend that forgets everything with the process: for tests, and for trying things out. */
export class MemoryBackend implements Backend {
  readonly #records = new SortedMap<StoredRecord>();
  readonly #leases = new Map<number, StoredLease>();
  #compactRevision = 0;
  #lastRevision = 0;

  load(): BackendState {
    return { compactRevision: this.#compactRevision, leases: [...this.#leases.values()] };
  }

  scan(from: number, to: number): Iterable<StoredRecord> {
    const out: StoredRecord[] = [];
    this.#records.visit(recordKey(from, 0), recordKey(to, 0xffffffff), (record) => {
      out.push(record);
      return true;
    });
    return out;
  }

  read(id: RecordId): Uint8Array | undefined {
    return this.#records.get(recordKey(id.revision, id.sub))?.bytes;
  }

  lastRevision(): number {
    return this.#lastRevision;
  }

  async append(mutations: readonly Mutation[]): Promise<void> {
    for (const mutation of mutations) {
      switch (mutation.type) {
        case 'record':
          this.#records.set(recordKey(mutation.record.revision, mutation.record.sub), mutation.record);
          this.#lastRevision = Math.max(this.#lastRevision, mutation.record.revision);
          break;
        case 'lease-put':
          this.#leases.set(mutation.id, { id: mutation.id, ttlSeconds: mutation.ttlSeconds });
          break;
        case 'lease-delete':
          this.#leases.delete(mutation.id);
          break;
        case 'compact':
          this.#compactRevision = mutation.revision;
      }
    }
  }

  async deleteRecords(ids: readonly RecordId[]): Promise<void> {
    for (const { revision, sub } of ids) this.#records.delete(recordKey(revision, sub));
  }

  async close(): Promise<void> {}
}

function recordKey(revision: number, sub: number): string {
  return revision.toString(16).padStart(14, '0') + sub.toString(16).padStart(8, '0');
}
