import type { KeyRange, WatchBatch, WatchEvent } from './types.js';

/** What a watcher needs from its hub. */
export interface WatcherHost {
  /** The next piece of history for an unsynced watcher; undefined when there is nothing more and it is synced now. */
  catchUp(watcher: Watcher): WatchBatch | undefined;
  remove(watcher: Watcher): void;
  defer(fn: () => void): void;
}

/**
 * One watch and its buffer. Synced: the hub pushes each commit. Unsynced (new with a start revision, or its buffer ran
 * full): the hub leaves it alone, and it reads history whenever its consumer asks for more. So the slowest consumer
 * costs a bounded buffer, and no writer ever waits.
 */
export class Watcher implements AsyncIterableIterator<WatchBatch> {
  synced = false;
  /** Events before this revision are not wanted (any more). */
  nextRevision: number;
  #events: WatchEvent[] = [];
  /** Everything up to here is in the buffer or delivered; valid when `#dirty`. */
  #upTo = 0;
  #dirty = false;
  #ended = false;
  #error: Error | undefined;
  #waiting: ((result: IteratorResult<WatchBatch>) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(
    readonly host: WatcherHost,
    readonly range: KeyRange,
    readonly prevKv: boolean,
    readonly progress: boolean,
    nextRevision: number,
  ) {
    this.nextRevision = nextRevision;
  }

  get buffered(): number {
    return this.#events.length;
  }

  /** Nothing to deliver: a progress notification would not have to wait behind events. */
  get idle(): boolean {
    return !this.#dirty && !this.#ended;
  }

  /** Add one event of a commit; `flush` follows once the commit is complete. */
  push(event: WatchEvent): void {
    this.#events.push(event);
  }

  /** Everything up to `revision` has been pushed. */
  flush(revision: number): void {
    this.#upTo = revision;
    this.nextRevision = revision + 1;
    this.#dirty = true;
    if (this.#waiting) this.#resolve({ done: false, value: this.#take() });
  }

  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#events = [];
    this.#dirty = false;
    this.host.remove(this);
    if (!this.#waiting) return;
    if (error) {
      this.#error = undefined;
      const reject = this.#reject;
      this.#waiting = this.#reject = undefined;
      reject?.(error);
    } else {
      this.#resolve({ done: true, value: undefined });
    }
  }

  next(): Promise<IteratorResult<WatchBatch>> {
    if (this.#error) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#dirty) return Promise.resolve({ done: false, value: this.#take() });
    if (!this.synced) {
      try {
        const batch = this.host.catchUp(this);
        // Between two pieces of history the others get a turn.
        if (batch) return new Promise((resolve) => this.host.defer(() => resolve({ done: false, value: batch })));
      } catch (error) {
        this.end();
        return Promise.reject(error);
      }
      if (this.#dirty) return Promise.resolve({ done: false, value: this.#take() });
    }
    if (this.#waiting) return Promise.reject(new Error('next() was called again before the previous call settled'));
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#reject = reject;
    });
  }

  return(): Promise<IteratorResult<WatchBatch>> {
    this.end();
    this.#error = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): WatchBatch {
    const batch = { revision: this.#upTo, events: this.#events };
    this.#events = [];
    this.#dirty = false;
    return batch;
  }

  #resolve(result: IteratorResult<WatchBatch>): void {
    const resolve = this.#waiting;
    this.#waiting = this.#reject = undefined;
    resolve?.(result);
  }
}
