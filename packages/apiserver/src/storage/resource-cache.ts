import type { KubeObject } from '@coxswain/api';
import type { Clock } from '@coxswain/sdk';
import { compareNames, SortedBucket } from './sorted-bucket.js';
import { StoredObject } from './stored-object.js';
import { WatchGroups } from './watch-groups.js';
import type { Frame } from './watch-groups.js';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change of one object, as the cache saw it. For DELETED `object` is the last state at the revision of the delete. */
export interface CacheEvent {
  readonly type: EventType;
  readonly revision: number;
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
  /** Encoded frames, by encoder and event type: made once, shared by all watchers. */
  readonly frames: Map<string, Frame>;
}

/** A write of this process on its way: its parsed object saves parsing what comes back from the store. */
export interface InflightWrite {
  readonly value: Uint8Array;
  readonly object: KubeObject;
  result?: StoredObject;
}

/** A value by which objects are looked up without a scan: `spec.nodeName` of pods. */
export interface CacheIndex {
  readonly field: string;
  readonly value: (object: KubeObject) => string;
}

export interface ResourceCacheOptions {
  /** `/registry/pods/` with the trailing slash. */
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly indexes: readonly CacheIndex[];
  /** Events kept for watches that start in the past. */
  readonly windowSize: number;
  /** To tell many watchers of several events at once. */
  readonly clock?: Clock;
}

const EMPTY: readonly StoredObject[] = [];

/**
 * All objects of one resource, and its recent events. Fed by `StoreFeed` in revision order, read synchronously: between two
 * `await`s a reader sees one revision.
 */
export class ResourceCache {
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly groups: WatchGroups;
  readonly #buckets = new Map<string, SortedBucket>();
  readonly #indexes: { readonly index: CacheIndex; readonly values: Map<string, Set<StoredObject>>; built: boolean }[];
  readonly #windowSize: number;
  readonly #inflight = new Map<string, InflightWrite[]>();
  readonly #listeners = new Set<(event: CacheEvent) => void>();
  #unsent: CacheEvent[] = [];
  #window: CacheEvent[] = [];
  #windowStart = 0;
  #count = 0;
  #bytes = 0;
  /** Watches from before this revision are refused: the window does not reach back further. */
  #oldest = 0;
  /** Revision up to which everything is applied. */
  revision = 0;
  ready = false;
  /** Bumped by every change: keys caches of derived data. */
  changes = 0;

  constructor(options: ResourceCacheOptions) {
    this.prefix = options.prefix;
    this.namespaced = options.namespaced;
    this.#windowSize = options.windowSize;
    this.#indexes = options.indexes.map((index) => ({ index, values: new Map(), built: false }));
    this.groups = new WatchGroups(options.clock);
    this.groups.useIndexes((field, object) => this.#indexes.find((entry) => entry.index.field === field)?.index.value(object.object) ?? '');
  }

  get size(): number {
    return this.#count;
  }

  /** Of an object in the store. */
  get averageBytes(): number {
    return this.#count === 0 ? 0 : this.#bytes / this.#count;
  }

  get oldestWatchRevision(): number {
    return this.#oldest;
  }

  get(namespace: string, name: string): StoredObject | undefined {
    return this.#buckets.get(namespace)?.get(name);
  }

  /** By name, of one namespace ('' for cluster-scoped resources). */
  inNamespace(namespace: string): readonly StoredObject[] {
    return this.#buckets.get(namespace)?.sorted() ?? EMPTY;
  }

  namespaces(): string[] {
    // By key order: the separator after the name takes part, as in the store.
    return [...this.#buckets.keys()].sort((a, b) => compareNames(`${a}/`, `${b}/`));
  }

  countInNamespace(namespace: string): number {
    return this.#buckets.get(namespace)?.size ?? 0;
  }

  /** Everything, in key order. */
  all(): readonly StoredObject[] {
    if (!this.namespaced) return this.inNamespace('');
    const lists = this.namespaces().map((namespace) => this.inNamespace(namespace));
    return lists.length === 1 ? (lists[0] as readonly StoredObject[]) : lists.flat();
  }

  *values(): IterableIterator<StoredObject> {
    for (const bucket of this.#buckets.values()) yield* bucket.values();
  }

  hasIndex(field: string): boolean {
    return this.#indexes.some((entry) => entry.index.field === field);
  }

  /** Objects whose indexed field has this value, in key order. */
  byIndex(field: string, value: string): readonly StoredObject[] {
    const entry = this.#indexes.find((candidate) => candidate.index.field === field);
    if (!entry) throw new Error(`no index on ${field}`);
    if (!entry.built) {
      for (const object of this.values()) addTo(entry.values, entry.index.value(object.object), object);
      entry.built = true;
    }
    const found = entry.values.get(value);
    if (!found) return EMPTY;
    return [...found].sort((a, b) => compareNames(`${a.namespace}/`, `${b.namespace}/`) || compareNames(a.name, b.name));
  }

  /** Called for every event in order, in the middle of applying it: must not block or throw. Returns the undo. */
  onEvent(listener: (event: CacheEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Announce a write before it is sent; the returned function withdraws it. */
  announce(path: string, write: InflightWrite): () => void {
    const list = this.#inflight.get(path);
    if (list) list.push(write);
    else this.#inflight.set(path, [write]);
    return () => {
      const current = this.#inflight.get(path);
      if (!current) return;
      if (current.length === 1) this.#inflight.delete(path);
      else current.splice(current.indexOf(write), 1);
    };
  }

  /** A put seen in the store. `path` is what follows the prefix. */
  put(path: string, value: Uint8Array, revision: number): void {
    const { namespace, name } = this.split(path);
    const write = this.#inflight.get(path)?.find((candidate) => candidate.result === undefined && sameBytes(candidate.value, value));
    const object = write
      ? StoredObject.fromWrite(namespace, name, revision, write.value, write.object)
      : StoredObject.fromStore(namespace, name, revision, value);
    if (write) write.result = object;
    const previous = this.#set(object);
    this.#emit({ type: previous ? 'MODIFIED' : 'ADDED', revision, object, previous, frames: new Map() });
  }

  delete(path: string, revision: number): void {
    const { namespace, name } = this.split(path);
    const previous = this.#remove(namespace, name);
    if (previous) this.#emit({ type: 'DELETED', revision, object: previous.atRevision(revision), previous, frames: new Map() });
  }

  /** Everything of a batch has been put: let watchers see it. */
  flush(revision: number): void {
    this.revision = revision;
    this.groups.flush();
    // Sent, and as large as the objects: who resumes later has them made again.
    for (const { frames } of this.#unsent) frames.clear();
    this.#unsent = [];
  }

  /** First load, without events. */
  load(path: string, value: Uint8Array, revision: number): void {
    const { namespace, name } = this.split(path);
    this.#set(StoredObject.fromStore(namespace, name, revision, value));
  }

  loaded(revision: number): void {
    this.revision = revision;
    this.#oldest = revision;
    this.#window = [];
    this.#windowStart = 0;
    this.ready = true;
  }

  /** Bring the cache to another state, as events, after the feed lost its place. */
  replace(state: ReadonlyMap<string, { readonly value: Uint8Array; readonly revision: number }>, revision: number): void {
    for (const object of [...this.values()]) {
      const path = object.namespace ? `${object.namespace}/${object.name}` : object.name;
      if (!state.has(path)) this.delete(path, revision);
    }
    const changed = [...state].filter(([path, entry]) => {
      const { namespace, name } = this.split(path);
      return this.get(namespace, name)?.revision !== entry.revision;
    });
    changed.sort((a, b) => a[1].revision - b[1].revision);
    for (const [path, entry] of changed) this.put(path, entry.value, entry.revision);
    this.flush(revision);
    // Intermediate states are missing from the window: nobody may resume from before.
    this.loaded(revision);
  }

  /** Events after `revision`, oldest first; undefined when the window does not reach back that far. */
  eventsSince(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#oldest) return undefined;
    let low = this.#windowStart;
    let high = this.#window.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#window[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low === this.#window.length ? [] : this.#window.slice(low);
  }

  /** Namespace and name in what follows the prefix of a key. */
  split(path: string): { namespace: string; name: string } {
    if (!this.namespaced) return { namespace: '', name: path };
    const slash = path.indexOf('/');
    return slash < 0 ? { namespace: '', name: path } : { namespace: path.slice(0, slash), name: path.slice(slash + 1) };
  }

  #set(object: StoredObject): StoredObject | undefined {
    let bucket = this.#buckets.get(object.namespace);
    if (!bucket) this.#buckets.set(object.namespace, (bucket = new SortedBucket()));
    const previous = bucket.get(object.name);
    bucket.set(object);
    if (!previous) this.#count++;
    this.#bytes += object.size - (previous?.size ?? 0);
    this.changes++;
    for (const entry of this.#indexes) {
      if (!entry.built) continue;
      if (previous) removeFrom(entry.values, entry.index.value(previous.object), previous);
      addTo(entry.values, entry.index.value(object.object), object);
    }
    return previous;
  }

  #remove(namespace: string, name: string): StoredObject | undefined {
    const bucket = this.#buckets.get(namespace);
    const previous = bucket?.get(name);
    if (!bucket || !previous) return undefined;
    bucket.delete(name);
    if (bucket.size === 0) this.#buckets.delete(namespace);
    this.#count--;
    this.#bytes -= previous.size;
    this.changes++;
    for (const entry of this.#indexes) if (entry.built) removeFrom(entry.values, entry.index.value(previous.object), previous);
    return previous;
  }

  #emit(event: CacheEvent): void {
    this.#window.push(event);
    if (this.#window.length - this.#windowStart > this.#windowSize) {
      this.#oldest = (this.#window[this.#windowStart] as CacheEvent).revision;
      this.#windowStart++;
      // Move only now and then, so that keeping the window costs O(1) per event.
      if (this.#windowStart >= this.#windowSize) {
        this.#window = this.#window.slice(this.#windowStart);
        this.#windowStart = 0;
      } else {
        // Slots before the start are never read; pointing them at the newest event lets go of what they held.
        this.#window[this.#windowStart - 1] = event;
      }
    }
    for (const listener of this.#listeners) listener(event);
    this.groups.dispatch(event);
    if (event.frames.size > 0) this.#unsent.push(event);
  }
}

function addTo(values: Map<string, Set<StoredObject>>, value: string, object: StoredObject): void {
  const set = values.get(value);
  if (set) set.add(object);
  else values.set(value, new Set([object]));
}

function removeFrom(values: Map<string, Set<StoredObject>>, value: string, object: StoredObject): void {
  const set = values.get(value);
  if (!set) return;
  set.delete(object);
  if (set.size === 0) values.delete(value);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}
