import { MemoryBackend, RevisionedStore } from '@coxswain/mvcc';
import { Clock, definePlugin, noConfig, PluginPoint, StateStore, type StoreStatus, storeErrors } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';

/** A state store that forgets. All but the leases' clock and the administration is `RevisionedStore`'s. */
export class MemoryStore extends RevisionedStore implements StateStore {
  readonly #cancelTick: () => void;

  constructor(clock: Clock) {
    super(new MemoryBackend(), { now: () => clock.monotonic(), defer: (fn) => void setImmediate(fn), errors: storeErrors });
    let cancel = () => {};
    const tick = () => {
      void this.tick();
      this.notifyProgress();
      cancel = clock.setTimeout(tick, 500);
    };
    tick();
    this.#cancelTick = () => cancel();
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

export const memoryStore = definePlugin({
  point: PluginPoint.store,
  name: 'store-memory',
  description: 'A state store that forgets with the process',
  sdk: '^0.1.0',
  requires: [Clock],
  config: noConfig,
  module: () =>
    new ContainerModule(({ bind }) => {
      bind(StateStore)
        .toResolvedValue((clock: Clock) => new MemoryStore(clock), [Clock])
        .inSingletonScope();
    }),
});
