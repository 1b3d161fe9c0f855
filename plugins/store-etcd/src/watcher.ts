import { type Event, Event_EventType as EventType } from '@coxswain/etcd-api';
import type { KeyRange, Revision, WatchBatch, WatchEvent } from '@coxswain/sdk';
import type { Converter } from './convert.js';
import { containsBytes, everything } from './key-space.js';

export interface WatcherOptions {
  readonly range: KeyRange;
  readonly prevKv: boolean;
  /** The first revision wanted. */
  readonly start: Revision;
  /**
   * Report progress: at once when `revision` has been reached, and after it whenever the store moves on. Such a watcher asks etcd for
   * every key and picks: each revision then reaches it as an event of its own stream. (etcd's answers to progress requests may
   * overtake events before 3.4.25 and 3.5.8, and its periodic ones come every ten minutes.)
   */
  readonly progressFrom?: Revision;
}

/** Events that may wait for their reader before the watch is taken off the stream, to be resumed from history. */
const MAX_QUEUED_EVENTS = 4096;

/** What one watch has received and its reader has not yet seen. */
export class Watcher {
  /** First revision that has not been received. Only whole transactions advance it. */
  next: Revision;
  readonly wanted: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array };
  readonly asked: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array };
  readonly #queue: WatchBatch[] = [];
  #queuedEvents = 0;
  /** Parts of a response that etcd cut in pieces; a transaction may span them. */
  #fragments: Event[] = [];
  #caughtUp: boolean;
  #error: Error | undefined;
  #ended = false;
  #wake = () => {};

  constructor(
    readonly options: WatcherOptions,
    readonly converter: Converter,
  ) {
    this.next = options.start;
    this.wanted = converter.keys.toRange(options.range);
    this.asked = options.progressFrom === undefined ? this.wanted : everything;
    this.#caughtUp = options.progressFrom === undefined;
    this.#reportCatchingUp();
  }

  get overflowing(): boolean {
    return this.#queuedEvents > MAX_QUEUED_EVENTS;
  }

  /** A new stream begins: pieces of the old one are worthless. */
  restart(): void {
    this.#fragments = [];
  }

  receive(events: readonly Event[], complete: boolean): void {
    if (!complete || this.#fragments.length > 0) this.#fragments.push(...events);
    if (!complete) return;
    const whole = this.#fragments.length > 0 ? this.#fragments : events;
    this.#fragments = [];
    const last = whole.at(-1)?.kv?.modRevision;
    if (last === undefined || Number(last) < this.next) return;
    const from = this.next;
    this.next = Number(last) + 1;
    const wanted: WatchEvent[] = [];
    for (const event of whole) {
      const { kv } = event;
      // What was received before the connection broke may come again.
      if (kv && Number(kv.modRevision) >= from && containsBytes(this.wanted, kv.key)) wanted.push(this.#event(event));
    }
    if (wanted.length > 0) this.#push({ revision: Number(last), events: wanted });
    else if (this.options.progressFrom !== undefined && this.#caughtUp) this.#push({ revision: Number(last), events: [] });
    this.#reportCatchingUp();
  }

  /** etcd says that everything up to this revision has been sent. */
  progress(revision: Revision): void {
    if (revision < this.next) return;
    this.next = revision + 1;
    if (this.options.progressFrom !== undefined && this.#caughtUp) this.#push({ revision, events: [] });
    this.#reportCatchingUp();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next batch; 'idle' when there is none yet; undefined at the end. Throws what the watch failed with. */
  take(): WatchBatch | 'idle' | undefined {
    if (this.#ended) return undefined;
    const batch = this.#queue.shift();
    if (batch) {
      this.#queuedEvents -= batch.events.length + 1;
      return batch;
    }
    if (this.#error) throw this.#error;
    return 'idle';
  }

  /** Resolves when `take` may have something else to say. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #reportCatchingUp(): void {
    const { progressFrom } = this.options;
    if (this.#caughtUp || progressFrom === undefined || this.next <= progressFrom) return;
    this.#caughtUp = true;
    this.#push({ revision: this.next - 1, events: [] });
  }

  #push(batch: WatchBatch): void {
    const last = this.#queue.at(-1);
    // Of several reports of progress that nobody has read, the newest says it all.
    if (batch.events.length === 0 && last?.events.length === 0) this.#queue[this.#queue.length - 1] = batch;
    else {
      this.#queue.push(batch);
      this.#queuedEvents += batch.events.length + 1;
    }
    this.#wake();
  }

  #event({ type, kv, prevKv }: Event): WatchEvent {
    const { converter } = this;
    const previous = prevKv ? { prevKv: converter.keyValue(prevKv) } : {};
    return { type: type === EventType.DELETE ? 'delete' : 'put', kv: converter.keyValue(kv as NonNullable<typeof kv>), ...previous };
  }
}
