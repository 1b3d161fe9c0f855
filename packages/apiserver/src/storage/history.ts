import { prefixRange } from '@coxswain/sdk';
import type { CacheEvent } from './resource-cache.js';
import type { ResourceStorage } from './resource-storage.js';
import { StoredObject } from './stored-object.js';

/** More than this is not worth sending: a new list is cheaper. */
const MAX_EVENTS = 50_000;

/**
 * The events of a resource after one revision, up to another or somewhat further: for watches that start before the cache's window.
 * Undefined when there are too many. Rejects with CompactedError.
 */
export async function eventsFromStore(storage: ResourceStorage, after: number, upTo: number, signal: AbortSignal): Promise<readonly CacheEvent[] | undefined> {
  const { cache, store } = storage;
  const done = new AbortController();
  const events: CacheEvent[] = [];
  const request = { range: prefixRange(cache.prefix), startRevision: after + 1, prevKv: true, progressNotify: true };
  try {
    for await (const batch of store.watch(request, AbortSignal.any([signal, done.signal]))) {
      for (const { type, kv, prevKv } of batch.events) {
        if (kv.modRevision > upTo) continue;
        const { namespace, name } = cache.split(kv.key.slice(cache.prefix.length));
        const at = (revision: number, value: Uint8Array) => StoredObject.fromStore(namespace, name, revision, value);
        const previous = prevKv ? at(prevKv.modRevision, prevKv.value) : undefined;
        const revision = kv.modRevision;
        const frames = new Map();
        if (type === 'put') events.push({ type: previous ? 'MODIFIED' : 'ADDED', revision, object: at(revision, kv.value), previous, frames });
        else if (previous) events.push({ type: 'DELETED', revision, object: previous.atRevision(revision), previous, frames });
      }
      if (events.length > MAX_EVENTS) return undefined;
      if (batch.revision >= upTo) return events;
    }
    return undefined;
  } finally {
    done.abort();
  }
}
