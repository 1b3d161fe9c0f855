import { MemoryBackend, RevisionedStore } from '@coxswain/mvcc';
import { type Clock, type StateStore, type StoreStatus, storeErrors } from '@coxswain/sdk';

const TICK_MS = 1000;

/** The revisioned store without a disk beneath. */
export class MemoryStore extends RevisionedStore implements StateStore {
  #cancelTick: () => void = () => {};

  constructor(clock: Clock) {
    super(new MemoryBackend(), { now: () => clock.monotonic(), defer: (fn) => void setImmediate(fn), errors: storeErrors });
    const tick = () => {
      void this.tick();
      this.notifyProgress();
      this.#cancelTick = clock.setTimeout(tick, TICK_MS);
    };
    tick();
  }

  currentRevision(): number {
    return this.revision;
  }

  async status(): Promise<StoreStatus> {
    return { revision: this.revision, compactRevision: this.compactRevision, sizeBytes: process.memoryUsage().external, healthy: true };
  }

  /** One JSON object a line. */
  async *snapshot(): AsyncIterable<Uint8Array> {
    for (const { key, value } of (await this.range({ key: '\0', end: '\0' })).kvs) {
      yield Buffer.from(`${JSON.stringify({ key, value: Buffer.from(value).toString('base64') })}\n`);
    }
  }

  /** Memory has no holes to close. */
  async defragment(): Promise<void> {}

  override close(): Promise<void> {
    this.#cancelTick();
    return super.close();
  }
}
