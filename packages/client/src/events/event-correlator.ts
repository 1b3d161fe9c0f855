import type { Event } from '@coxswain/api';
import { formatTime } from '@coxswain/apimachinery';
import type { Clock } from '@coxswain/sdk';
import { BoundedMap } from './bounded-map.js';

const MAX_KEYS = 4096;
/** Different messages of one kind within ten minutes, before they become one event. */
const MAX_SIMILAR = 10;
const SIMILAR_MS = 600_000;
/** Events of one source about one object: 25 at once, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;

interface Seen {
  readonly name: string;
  readonly firstTimestamp: string;
  count: number;
  resourceVersion?: string | undefined;
}

export type Correlated =
  | { readonly action: 'drop' }
  | { readonly action: 'create'; readonly event: Event; readonly key: string }
  /** The event exists: raise its count. */
  | { readonly action: 'patch'; readonly event: Event; readonly key: string };

/** Keeps events from flooding: same ones are counted, similar ones combined, too many dropped (upstream's correlator and figures). */
export class EventCorrelator {
  readonly #buckets = new BoundedMap<string, { tokens: number; at: number }>(MAX_KEYS);
  readonly #similar = new BoundedMap<string, { readonly messages: Set<string>; at: number }>(MAX_KEYS);
  readonly #seen = new BoundedMap<string, Seen>(MAX_KEYS);

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  correlate(event: Event): Correlated {
    const now = this.clock.now();
    const about = [
      event.source?.component,
      event.source?.host,
      event.involvedObject.kind,
      event.involvedObject.namespace,
      event.involvedObject.name,
      event.involvedObject.uid,
      event.involvedObject.apiVersion,
    ].join('\u0000');
    if (!this.#take(about, now)) return { action: 'drop' };
    const group = [about, event.type, event.reason, event.reportingComponent, event.reportingInstance].join('\u0000');
    let key = `${group}\u0000${event.involvedObject.fieldPath ?? ''}\u0000${event.message}`;
    let current = event;
    if (this.#isSimilar(group, event.message ?? '', now)) {
      key = group;
      current = { ...event, message: `(combined from similar events): ${event.message}` };
    }
    const before = this.#seen.get(key);
    if (!before) {
      this.#seen.set(key, { name: current.metadata.name ?? '', firstTimestamp: current.firstTimestamp ?? formatTime(now), count: 1 });
      return { action: 'create', event: current, key };
    }
    before.count++;
    const { name, firstTimestamp, count } = before;
    return { action: 'patch', key, event: { ...current, metadata: { ...current.metadata, name }, firstTimestamp, count } };
  }

  /** The server no longer has it (its hour is over): start again with a new one. */
  forget(key: string): void {
    this.#seen.delete(key);
  }

  recreated(key: string, event: Event): void {
    this.#seen.set(key, { name: event.metadata.name ?? '', firstTimestamp: event.firstTimestamp ?? '', count: event.count ?? 1 });
  }

  #take(about: string, now: number): boolean {
    const bucket = this.#buckets.get(about) ?? { tokens: BURST, at: now };
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
    bucket.at = now;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens--;
    this.#buckets.set(about, bucket);
    return allowed;
  }

  #isSimilar(group: string, message: string, now: number): boolean {
    let record = this.#similar.get(group);
    if (!record || now - record.at > SIMILAR_MS) record = { messages: new Set(), at: now };
    record.messages.add(message);
    record.at = now;
    this.#similar.set(group, record);
    if (record.messages.size < MAX_SIMILAR) return false;
    // Stays just under the limit, so that the set does not grow.
    record.messages.delete(record.messages.values().next().value as string);
    return true;
  }
}
