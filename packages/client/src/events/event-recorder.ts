import type { Event, KubeObject, ObjectReference } from '@coxswain/api';
import { formatTime, hasStatusCause, isAlreadyExists, isForbidden, isNotFound, apiErrorOf } from '@coxswain/apimachinery';
import { silentLogger, type Clock, type Logger, type Random } from '@coxswain/sdk';
import { BucketLimiter } from '../queue/rate-limiter.js';
import type { KubeClient } from '../rest/kube-client.js';
import { EventCorrelator, type Correlated } from './event-correlator.js';

export type EventType = 'Normal' | 'Warning';

/** Tells users what happens to an object. Never throws, never waits: a lost event is no failure. */
export interface EventRecorder {
  event(object: KubeObject | ObjectReference, type: EventType, reason: string, message: string): void;
}

export interface ApiEventRecorderOptions {
  readonly client: KubeClient;
  /** `kubelet`, `deployment-controller`, … */
  readonly component: string;
  /** The node, for those that run on one. */
  readonly host?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
  /** Events a second after `burst` at once; absent or 0: no limit. */
  readonly qps?: number | undefined;
  readonly burst?: number | undefined;
}

const MAX_PENDING = 1000;
const MAX_TRIES = 12;
const RETRY_MS = 10_000;

/** A reference to an object, as events carry it. */
export function referenceTo(object: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object;
  const { name, namespace, uid, resourceVersion } = (object as KubeObject).metadata;
  return {
    apiVersion: object.apiVersion ?? '',
    kind: object.kind ?? '',
    ...(name && { name }),
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
}

/** Writes core v1 Events, one after the other, correlated; at most a thousand wait. */
export class ApiEventRecorder implements EventRecorder {
  readonly #correlator: EventCorrelator;
  readonly #pending: Event[] = [];
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;

  readonly #limit: BucketLimiter<void> | undefined;

  constructor(private readonly options: ApiEventRecorderOptions) {
    this.#limit = options.qps ? new BucketLimiter(options.clock, options.qps, options.burst ?? options.qps) : undefined;
    this.#correlator = new EventCorrelator(options.clock);
    this.#logger = options.logger ?? silentLogger;
  }

  event(object: KubeObject | ObjectReference, type: EventType, reason: string, message: string): void {
    if (this.#abort.signal.aborted) return;
    if (this.#pending.length >= MAX_PENDING) {
      this.#logger.warn('too many events wait: dropped one', { reason });
      return;
    }
    this.#pending.push(this.#make(referenceTo(object), type, reason, message));
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends what waits, until the deadline. */
  async stop(deadline?: AbortSignal): Promise<void> {
    const abort = () => this.#abort.abort(new Error('event recorder stopped'));
    deadline?.addEventListener('abort', abort, { once: true });
    if (deadline?.aborted) abort();
    await this.#sending;
    abort();
  }

  #make(involvedObject: ObjectReference, type: EventType, reason: string, message: string): Event {
    const { component, host, clock, random } = this.options;
    const now = clock.now();
    const suffix =
      Math.floor(now).toString(16) +
      random
        .int(2 ** 20)
        .toString(16)
        .padStart(5, '0');
    const time = formatTime(now);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${(involvedObject.name ?? '').slice(0, 220)}.${suffix}`, namespace: involvedObject.namespace || 'default' },
      involvedObject,
      type,
      reason,
      // The API refuses longer ones.
      message: message.slice(0, 1024),
      source: { component, ...(host && { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
  }

  async #send(): Promise<void> {
    for (let event = this.#pending.shift(); event; event = this.#pending.shift()) {
      const correlated = this.#correlator.correlate(event);
      if (correlated.action === 'drop') continue;
      const wait = this.#limit?.when() ?? 0;
      if (wait > 0) await this.options.clock.sleep(wait, this.#abort.signal).catch(() => {});
      for (let attempt = 1; !this.#abort.signal.aborted; attempt++) {
        try {
          await this.#write(correlated, event);
          break;
        } catch (error) {
          // The server answered: it will not change its mind.
          const refused = apiErrorOf(error) !== undefined;
          if (!refused && attempt < MAX_TRIES) {
            await this.options.clock.sleep(RETRY_MS * (attempt === 1 ? this.options.random.next() : 1), this.#abort.signal).catch(() => {});
            continue;
          }
          if (correlated.action === 'create') this.#correlator.forget(correlated.key);
          const expected = isForbidden(error) && hasStatusCause(error, 'NamespaceTerminating');
          if (!expected && !isAlreadyExists(error)) this.#logger.warn('cannot write an event', { reason: event.reason, err: error });
          break;
        }
      }
    }
  }

  async #write(correlated: Exclude<Correlated, { action: 'drop' }>, original: Event): Promise<void> {
    const events = this.options.client.api.events(original.metadata.namespace);
    const options = { signal: this.#abort.signal };
    if (correlated.action === 'create') {
      await events.create(correlated.event, options);
      return;
    }
    const { count, lastTimestamp, message, metadata } = correlated.event;
    try {
      await events.patch(metadata.name ?? '', 'merge', { count, lastTimestamp, message }, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // It has expired: a new one, under a new name, that goes on counting.
      const fresh = { ...correlated.event, metadata: original.metadata };
      await events.create(fresh, options);
      this.#correlator.recreated(correlated.key, fresh);
    }
  }
}

/** Keeps what it is told: for tests. */
export class MemoryEventRecorder implements EventRecorder {
  readonly events: { readonly object: ObjectReference; readonly type: EventType; readonly reason: string; readonly message: string }[] = [];

  event(object: KubeObject | ObjectReference, type: EventType, reason: string, message: string): void {
    this.events.push({ object: referenceTo(object), type, reason, message });
  }
}
