import type { ErrorFactory } from './errors.js';
import { contains } from './key-range.js';
import type { Change, MvccEngine } from './mvcc-engine.js';
import { decodeHeader, recordValue } from './record-codec.js';
import type { KeyValue, WatchBatch, WatchEvent, WatchRequest } from './types.js';
import { validateRange } from './validate-txn.js';
import { WatchIndex } from './watch-index.js';
import { Watcher } from './watcher.js';
import type { WatcherHost } from './watcher.js';

export interface WatchHubOptions {
  readonly errors: ErrorFactory;
  /** A watcher with this many undelivered events stops being pushed to, and reads history later. */
  readonly bufferEvents: number;
  /** Records looked at per step of catching up, so that one watcher does not hold the event loop. */
  readonly catchUpRecords: number;
  /** Run `fn` soon, after what is ready to run now. */
  defer(fn: () => void): void;
}

const NOTHING = new Uint8Array(0);

/** Hands what has been committed to whom it concerns. Only synced watchers are in the index. */
export class WatchHub implements WatcherHost {
  readonly #synced = new WatchIndex<Watcher>();
  readonly #all = new Set<Watcher>();
  /** Takes the watcher's abort listener off its signal. */
  readonly #undo = new Map<Watcher, () => void>();
  #closed: Error | undefined;

  constructor(
    readonly engine: MvccEngine,
    readonly options: WatchHubOptions,
  ) {}

  get size(): number {
    return this.#all.size;
  }

  watch(request: WatchRequest, signal: AbortSignal): AsyncIterableIterator<WatchBatch> {
    const { visible, compactRevision } = this.engine;
    const start = request.startRevision || visible + 1;
    const progress = request.progressNotify ?? false;
    const watcher = new Watcher(this, request.range, request.prevKv ?? false, progress, start);
    if (signal.aborted) {
      watcher.end();
      return watcher;
    }
    if (this.#closed) {
      watcher.end(this.#closed);
      return watcher;
    }
    try {
      validateRange(request.range, undefined, this.options.errors);
    } catch (error) {
      watcher.end(error as Error);
      return watcher;
    }
    if (start < compactRevision) {
      watcher.end(this.options.errors.compacted(start, compactRevision));
      return watcher;
    }
    this.#all.add(watcher);
    const abort = () => watcher.end();
    signal.addEventListener('abort', abort, { once: true });
    this.#undo.set(watcher, () => signal.removeEventListener('abort', abort));
    if (start > visible) this.#sync(watcher, visible);
    return watcher;
  }

  /** Publish a commit that made everything up to `revision` visible. */
  publish(changes: readonly Change[], revision: number): void {
    const touched = new Set<Watcher>();
    for (const change of changes) {
      let plain: WatchEvent | undefined;
      let withPrevious: WatchEvent | undefined;
      const at = change.version.modRevision;
      this.#synced.forEach(change.history.key, (watcher) => {
        if (at < watcher.nextRevision) return;
        plain ??= this.#event(change.history.key, change);
        if (watcher.prevKv) withPrevious ??= withPrev(plain, this.engine.predecessor(change));
        watcher.push(watcher.prevKv ? (withPrevious as WatchEvent) : plain);
        touched.add(watcher);
      });
    }
    for (const watcher of touched) {
      watcher.flush(revision);
      if (watcher.buffered >= this.options.bufferEvents) {
        watcher.synced = false;
        this.#synced.delete(watcher);
      }
    }
  }

  /** Tell quiet watchers that asked for it how far the store is. */
  notifyProgress(): void {
    for (const watcher of this.#all) {
      if (watcher.progress && watcher.synced && watcher.idle && watcher.nextRevision <= this.engine.visible + 1) {
        watcher.flush(this.engine.visible);
      }
    }
  }

  /** End the watchers that still need something a compaction has taken away. */
  compacted(revision: number): void {
    for (const watcher of [...this.#all]) {
      if (!watcher.synced && watcher.idle && watcher.nextRevision < revision) {
        watcher.end(this.options.errors.compacted(watcher.nextRevision, revision));
      }
    }
  }

  close(error: Error): void {
    this.#closed = error;
    for (const watcher of [...this.#all]) watcher.end(error);
  }

  catchUp(watcher: Watcher): WatchBatch | undefined {
    const { visible, compactRevision } = this.engine;
    const from = watcher.nextRevision;
    if (from < compactRevision) throw this.options.errors.compacted(from, compactRevision);
    if (from > visible) {
      this.#sync(watcher, visible);
      return undefined;
    }
    const { events, upTo } = watcher.range.end === undefined ? this.#historyOfKey(watcher) : this.#historyOfRange(watcher);
    watcher.nextRevision = upTo + 1;
    const caughtUp = upTo >= visible;
    if (events.length === 0) {
      if (caughtUp) {
        this.#sync(watcher, visible);
        return undefined;
      }
      // Nothing of interest so far: a progress batch gives the event loop back between two steps.
      return { revision: upTo, events };
    }
    if (caughtUp) this.#sync(watcher, visible);
    return { revision: upTo, events };
  }

  remove(watcher: Watcher): void {
    this.#all.delete(watcher);
    if (watcher.synced) this.#synced.delete(watcher);
    watcher.synced = false;
    this.#undo.get(watcher)?.();
    this.#undo.delete(watcher);
  }

  defer(fn: () => void): void {
    this.options.defer(fn);
  }

  #sync(watcher: Watcher, visible: number): void {
    watcher.synced = true;
    this.#synced.add(watcher);
    if (watcher.progress && watcher.nextRevision <= visible + 1) watcher.flush(visible);
  }

  #historyOfKey(watcher: Watcher): { events: WatchEvent[]; upTo: number } {
    const { key } = watcher.range;
    const events = this.engine.versions(key, watcher.nextRevision).map((change) => {
      const event = this.#event(key, change);
      return watcher.prevKv ? withPrev(event, this.engine.predecessor(change)) : event;
    });
    return { events, upTo: this.engine.visible };
  }

  #historyOfRange(watcher: Watcher): { events: WatchEvent[]; upTo: number } {
    const { visible } = this.engine;
    const events: WatchEvent[] = [];
    let looked = 0;
    let upTo = visible;
    let current = 0;
    for (const { revision, bytes } of this.engine.backend.scan(watcher.nextRevision, visible)) {
      // Stop only between two transactions.
      if (revision !== current && (looked >= this.options.catchUpRecords || events.length >= this.options.bufferEvents)) {
        upTo = current;
        break;
      }
      current = revision;
      looked++;
      const { key, kind, createRevision, version, lease } = decodeHeader(bytes);
      if (!contains(watcher.range, key)) continue;
      const value = kind === 'put' ? Buffer.from(recordValue(bytes)) : NOTHING;
      const kv: KeyValue = { key, value, createRevision, modRevision: revision, version, lease };
      const event: WatchEvent = { type: kind, kv };
      events.push(watcher.prevKv ? withPrev(event, this.engine.before(key, revision)) : event);
    }
    return { events, upTo };
  }

  #event(key: string, change: Change): WatchEvent {
    const { version, history } = change;
    if (version.version > 0) return { type: 'put', kv: this.engine.kv(history, version) };
    const modRevision = version.modRevision;
    return { type: 'delete', kv: { key, value: NOTHING, createRevision: 0, modRevision, version: 0, lease: 0 } };
  }
}

function withPrev(event: WatchEvent, prevKv: KeyValue | undefined): WatchEvent {
  return prevKv ? { ...event, prevKv } : event;
}
