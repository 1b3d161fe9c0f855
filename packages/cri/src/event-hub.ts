/** Hands values to any number of readers. A reader that falls too far behind is cut off: it has to list again. */
export class EventHub<T> {
  readonly #readers = new Set<{ queue: T[]; wake: () => void; overflow: boolean }>();

  constructor(private readonly limit = 1024) {}

  /** Nobody listens: there is no need to make a value. */
  get idle(): boolean {
    return this.#readers.size === 0;
  }

  publish(value: T): void {
    for (const reader of this.#readers) {
      if (reader.queue.length >= this.limit) reader.overflow = true;
      else reader.queue.push(value);
      reader.wake();
    }
  }

  /** From now on, not from the first read on. */
  subscribe(signal: AbortSignal): AsyncIterable<T> {
    const reader = { queue: [] as T[], wake: () => {}, overflow: false };
    this.#readers.add(reader);
    return this.#read(reader, signal);
  }

  async *#read(reader: { queue: T[]; wake: () => void; overflow: boolean }, signal: AbortSignal): AsyncGenerator<T> {
    const onAbort = () => reader.wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const next = reader.queue.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        if (reader.overflow) throw new Error('the reader fell behind; list again and resubscribe');
        await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#readers.delete(reader);
    }
  }
}
