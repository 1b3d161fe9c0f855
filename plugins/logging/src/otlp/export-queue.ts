import type { LogEntry } from '../log-entry.js';

/** What goes when the buffer is full: what has waited longest, or what comes now. */
export type DropPolicy = 'drop-oldest' | 'drop-newest';

/** Entries on their way to a collector, bounded by bytes. */
export class ExportQueue {
  readonly #entries: LogEntry[] = [];
  #bytes = 0;
  dropped = 0;

  constructor(
    readonly maxBytes: number,
    readonly policy: DropPolicy,
  ) {}

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const size = sizeOf(entry);
      if (this.policy === 'drop-newest' && this.#bytes + size > this.maxBytes) {
        this.dropped++;
        continue;
      }
      this.#entries.push(entry);
      this.#bytes += size;
    }
    let surplus = 0;
    for (; this.#bytes > this.maxBytes && surplus < this.#entries.length; surplus++) this.#bytes -= sizeOf(this.#entries[surplus] as LogEntry);
    if (surplus > 0) {
      this.#entries.splice(0, surplus);
      this.dropped += surplus;
    }
  }

  take(most: number): LogEntry[] {
    const taken = this.#entries.splice(0, most);
    for (const entry of taken) this.#bytes -= sizeOf(entry);
    return taken;
  }
}

/** Roughly what an entry takes, with what is kept beside its text. */
const sizeOf = ({ text }: LogEntry) => text.length + 200;
