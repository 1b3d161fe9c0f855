import type { WatchBatch } from '@coxswain/sdk';

/** Reads a watch event by event. */
export class WatchReader {
  readonly #iterator: AsyncIterator<WatchBatch>;
  #rest: WatchBatch['events'] = [];

  constructor(watch: AsyncIterable<WatchBatch>) {
    this.#iterator = watch[Symbol.asyncIterator]();
  }

  async next(): Promise<WatchBatch | undefined> {
    const { done, value } = await this.#iterator.next();
    return done ? undefined : value;
  }

  async nonEmpty(): Promise<WatchBatch> {
    for (;;) {
      const batch = await this.next();
      if (!batch) throw new Error('the watch ended');
      if (batch.events.length > 0) return batch;
    }
  }

  async raw(count: number): Promise<WatchBatch['events']> {
    const out = [...this.#rest];
    while (out.length < count) out.push(...(await this.nonEmpty()).events);
    this.#rest = out.splice(count);
    return out;
  }

  async events(count: number): Promise<string[]> {
    return (await this.raw(count)).map((e) => `${e.type} ${e.kv.key} ${e.kv.modRevision}`);
  }

  async drain(): Promise<void> {
    while (await this.next());
  }
}
