import type { Status } from '@coxswain/apimachinery';
import type { WatchEvent } from '@coxswain/client';
import type { CancelTimer, Clock } from '@coxswain/sdk';
import type { CacheEvent, EventType } from './resource-cache.js';
import type { StoredObject } from './stored-object.js';
import { filterMatches } from './watch-filter.js';
import type { WatchFilter } from './watch-filter.js';

/** One event in the form its watchers want it: text, or, for those in this process, as it is. Its object is the cache's own: never changed. */
export type Frame = Buffer | WatchEvent;

/** What a sink is given: bytes as they go over the wire, or events. */
export type Payload = Buffer | readonly WatchEvent[];

/** How frames become a payload on one kind of connection; made once per group and batch, not once per watcher. */
export interface WatchFraming {
  readonly id: string;
  frame(frames: readonly Frame[]): Payload;
}

export const rawFraming: WatchFraming = {
  id: 'raw',
  frame: (frames) => (frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames as readonly Buffer[])),
};

export const objectFraming: WatchFraming = { id: 'objects', frame: (frames) => frames as readonly WatchEvent[] };

/** Turns events into the text of one served version and media type. */
export interface WatchEncoder {
  readonly id: string;
  /** Its events never become text: telling a watcher costs next to nothing. */
  readonly inProcess?: boolean;
  encode(type: EventType, object: StoredObject): Frame;
  bookmark(revision: number, annotations?: Readonly<Record<string, string>>): Frame;
  error(status: Status): Frame;
}

/** Where a watch writes. `write` returns false when the watcher was too slow and has been closed. */
export interface WatchSink {
  readonly framing: WatchFraming;
  write(payload: Payload): boolean;
  /** The server ends the stream. */
  end(): void;
}

export interface Subscription {
  readonly sink: WatchSink;
  readonly bookmarks: boolean;
  /** Told how many events were sent. */
  readonly onSent?: (count: number) => void;
}

const BOOKMARK_SLOTS = 60;
/** About ten times what it costs to encrypt and send to one watcher. */
const SPACING_MS_PER_WATCHER = 0.1;
const MIN_SPACING_MS = 1;
const MAX_SPACING_MS = 10;

/** Watchers that see exactly the same bytes. */
class WatchGroup {
  readonly subscriptions = new Set<Subscription>();
  readonly #slots: (Set<Subscription> | undefined)[] = [];
  /** Events that were sent to watchers. */
  sent = 0;
  #pending: Frame[] = [];
  #flushedAt = Number.NEGATIVE_INFINITY;
  #cancel: CancelTimer | undefined;

  constructor(
    readonly key: string,
    readonly filter: WatchFilter,
    readonly encoder: WatchEncoder,
    readonly clock: Clock | undefined,
  ) {}

  add(subscription: Subscription, slot: number): void {
    // What is pending is no news to it.
    this.flush();
    this.subscriptions.add(subscription);
    if (subscription.bookmarks) (this.#slots[slot] ??= new Set()).add(subscription);
  }

  remove(subscription: Subscription): void {
    this.subscriptions.delete(subscription);
    for (const slot of this.#slots) slot?.delete(subscription);
  }

  /** True when the event concerns the group. */
  offer(event: CacheEvent): boolean {
    const frame = frameFor(event, this.filter, this.encoder);
    if (!frame) return false;
    this.#pending.push(frame);
    return true;
  }

  /** Tell the watchers, unless there are many and they have just been told: then a little later, of more at once. */
  flushSoon(): void {
    if (this.#cancel) return;
    const spacing = this.encoder.inProcess || !this.clock ? 0 : Math.min(MAX_SPACING_MS, this.subscriptions.size * SPACING_MS_PER_WATCHER);
    if (!this.clock || spacing < MIN_SPACING_MS) {
      this.flush();
      return;
    }
    const wait = this.#flushedAt + spacing - this.clock.monotonic();
    if (wait <= 0) this.flush();
    else this.#cancel = this.clock.setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#pending.length === 0) return;
    if (this.clock) this.#flushedAt = this.clock.monotonic();
    const pending = this.#pending;
    this.#pending = [];
    this.#send(pending, this.subscriptions);
  }

  bookmark(slot: number, revision: number): void {
    const due = this.#slots[slot];
    if (!due || due.size === 0) return;
    // Nothing older may follow it.
    this.flush();
    this.#send([this.encoder.bookmark(revision)], due);
  }

  #send(frames: readonly Frame[], to: Set<Subscription>): void {
    const framed = new Map<string, Payload>();
    for (const subscription of to) {
      const { framing } = subscription.sink;
      let payload = framed.get(framing.id);
      if (!payload) framed.set(framing.id, (payload = framing.frame(frames)));
      if (!subscription.sink.write(payload)) {
        this.remove(subscription);
        continue;
      }
      this.sent += frames.length;
      subscription.onSent?.(frames.length);
    }
  }
}

/** What a watcher with this filter sees of the event; undefined when nothing. */
export function frameFor(event: CacheEvent, filter: WatchFilter, encoder: WatchEncoder): Frame | undefined {
  const now = event.type !== 'DELETED' && filterMatches(filter, event.object);
  const before = event.previous !== undefined && filterMatches(filter, event.previous);
  if (!now && !before) return undefined;
  const type: EventType = now ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
  const key = `${type}|${encoder.id}`;
  let frame = event.frames.get(key);
  if (!frame) {
    // Leaving the selection shows the state that last matched, at the revision of the change.
    const object = type === 'DELETED' && event.type !== 'DELETED' ? (event.previous as StoredObject).atRevision(event.revision) : event.object;
    frame = encoder.encode(type, object);
    event.frames.set(key, frame);
  }
  return frame;
}

/** The watchers of one resource, arranged so that an event meets only those it may concern. */
export class WatchGroups {
  /** Without a clock everything is told at once. */
  constructor(readonly clock?: Clock) {}

  readonly #groups = new Map<string, WatchGroup>();
  readonly #all = new Set<WatchGroup>();
  readonly #byNamespace = new Map<string, Set<WatchGroup>>();
  readonly #byName = new Map<string, Set<WatchGroup>>();
  readonly #byIndex = new Map<string, Map<string, Set<WatchGroup>>>();
  readonly #touched = new Set<WatchGroup>();
  #indexValue: (field: string, object: StoredObject) => string = () => '';
  #watchers = 0;
  #sentByOthers = 0;
  #nextSlot = 0;

  /** Watchers connected. */
  get size(): number {
    return this.#watchers;
  }

  /** Events sent to watchers since the start. */
  get sent(): number {
    let sent = this.#sentByOthers;
    for (const group of this.#groups.values()) sent += group.sent;
    return sent;
  }

  useIndexes(value: (field: string, object: StoredObject) => string): void {
    this.#indexValue = value;
  }

  /** From the next event on the sink gets what the filter selects. Returns the undo, which is idempotent. */
  subscribe(filter: WatchFilter, encoder: WatchEncoder, subscription: Subscription): () => void {
    const key = `${encoder.id}\n${filter.id}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = new WatchGroup(key, filter, encoder, this.clock);
      this.#groups.set(key, group);
      this.#route(group).add(group);
    }
    const joined = group;
    this.#nextSlot = (this.#nextSlot + 1) % BOOKMARK_SLOTS;
    joined.add(subscription, this.#nextSlot);
    this.#watchers++;
    let active = true;
    return () => {
      if (!active) return;
      active = false;
      this.#watchers--;
      joined.remove(subscription);
      if (joined.subscriptions.size > 0) return;
      this.#sentByOthers += joined.sent;
      this.#groups.delete(key);
      this.#unroute(joined);
    };
  }

  dispatch(event: CacheEvent): void {
    if (this.#groups.size === 0) return;
    const { namespace, name } = event.object;
    this.#offer(this.#all, event);
    if (this.#byNamespace.size > 0) this.#offer(this.#byNamespace.get(namespace), event);
    if (this.#byName.size > 0) {
      this.#offer(this.#byName.get(`${namespace}/${name}`), event);
      if (namespace !== '') this.#offer(this.#byName.get(`/${name}`), event);
    }
    for (const [field, values] of this.#byIndex) {
      const now = this.#indexValue(field, event.object);
      this.#offer(values.get(now), event);
      if (!event.previous) continue;
      const before = this.#indexValue(field, event.previous);
      if (before !== now) this.#offer(values.get(before), event);
    }
  }

  flush(): void {
    if (this.#touched.size === 0) return;
    for (const group of this.#touched) group.flushSoon();
    this.#touched.clear();
  }

  /** End every watch, as regularly as after their timeout. */
  end(): void {
    for (const group of [...this.#groups.values()]) {
      group.flush();
      for (const { sink } of [...group.subscriptions]) sink.end();
    }
  }

  /** Once a second: a sixtieth of the watchers hear how far the cache is. */
  tick(second: number, revision: number): void {
    for (const group of this.#groups.values()) group.bookmark(second % BOOKMARK_SLOTS, revision);
  }

  #offer(groups: Set<WatchGroup> | undefined, event: CacheEvent): void {
    if (!groups) return;
    for (const group of groups) if (group.offer(event)) this.#touched.add(group);
  }

  #route(group: WatchGroup): Set<WatchGroup> {
    const { scope } = group.filter;
    switch (scope.type) {
      case 'all':
        return this.#all;
      case 'namespace':
        return entry(this.#byNamespace, scope.namespace);
      case 'name':
        return entry(this.#byName, `${scope.namespace}/${scope.name}`);
      case 'index': {
        let values = this.#byIndex.get(scope.field);
        if (!values) this.#byIndex.set(scope.field, (values = new Map()));
        return entry(values, scope.value);
      }
    }
  }

  #unroute(group: WatchGroup): void {
    const set = this.#route(group);
    set.delete(group);
    if (set.size > 0) return;
    const { scope } = group.filter;
    if (scope.type === 'namespace') this.#byNamespace.delete(scope.namespace);
    else if (scope.type === 'name') this.#byName.delete(`${scope.namespace}/${scope.name}`);
    else if (scope.type === 'index') {
      const values = this.#byIndex.get(scope.field);
      values?.delete(scope.value);
      if (values?.size === 0) this.#byIndex.delete(scope.field);
    }
  }
}

function entry<V>(map: Map<string, Set<V>>, key: string): Set<V> {
  let set = map.get(key);
  if (!set) map.set(key, (set = new Set()));
  return set;
}
