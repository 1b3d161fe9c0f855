import type { KubeObject } from '@coxswain/api';
import { isExpired, isGone, isInvalid, isTooManyRequests } from '@coxswain/apimachinery';
import { silentLogger, type Clock, type Logger, type Random } from '@coxswain/sdk';
import type { KubeList } from '../rest/resource-client.js';
import type { ListOptions, WatchOptions } from '../rest/options.js';
import { TransportError } from '../transport/transport.js';
import { checkWatchEvent } from '../watch/watch-decoder.js';
import type { WatchEvent } from '../watch/watch-event.js';
import { Backoff, REFLECTOR_BACKOFF, type BackoffOptions } from './backoff.js';

/** What a reflector reads from; a `ResourceClient` is one. */
export interface ListWatch<T> {
  list(options: ListOptions): Promise<KubeList<T>>;
  watchBatches(options: WatchOptions): AsyncIterable<readonly WatchEvent<T>[]>;
}

/** Where the changes go; called synchronously and in order. */
export interface ReflectorSink<T> {
  /** The whole of it, at a first or a fresh list. */
  replace(objects: readonly T[], resourceVersion: string): void;
  apply(event: WatchEvent<T>): void;
}

export interface ReflectorOptions<T> {
  readonly source: ListWatch<T>;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly name?: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Get the first state through the watch instead of a list; falls back to listing when the server refuses. */
  readonly sendInitialEvents?: boolean | undefined;
  readonly logger?: Logger | undefined;
  readonly backoff?: BackoffOptions | undefined;
  /** Told of every failure, for health. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const MIN_WATCH_SECONDS = 300;

/**
 * Keeps a sink equal to what the server has: list, then watch from there, resuming at the last seen resourceVersion; a version that
 * is gone means a fresh list. Failures are retried forever with jittered, capped backoff, until the signal aborts.
 */
export class Reflector<T extends KubeObject> {
  #resourceVersion = '';
  #versionUnavailable = false;
  #useInitialEvents: boolean;
  readonly #backoff: Backoff;
  readonly #logger: Logger;

  constructor(private readonly options: ReflectorOptions<T>) {
    this.#useInitialEvents = options.sendInitialEvents ?? false;
    this.#backoff = new Backoff(options.clock, options.random, options.backoff ?? REFLECTOR_BACKOFF);
    this.#logger = options.logger ?? silentLogger;
  }

  get lastResourceVersion(): string {
    return this.#resourceVersion;
  }

  /** Resolves when the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listAndWatch(signal);
        continue;
      } catch (error) {
        if (signal.aborted) return;
        this.#report(error, 'list and watch failed');
      }
      await this.#pause(signal);
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    if (this.#useInitialEvents) {
      try {
        await this.#watch(signal, true);
      } catch (error) {
        if (!isInvalid(error)) return this.#handleWatchError(error, signal);
        this.#logger.debug('server refuses sendInitialEvents: listing instead', { name: this.options.name });
        this.#useInitialEvents = false;
        return;
      }
    } else {
      await this.#list(signal);
    }
    while (!signal.aborted) {
      const startedAt = this.options.clock.monotonic();
      let events = 0;
      try {
        events = await this.#watch(signal, false);
      } catch (error) {
        if (signal.aborted) return;
        // A broken connection or a busy server: go on from where we are.
        if (error instanceof TransportError || isTooManyRequests(error)) {
          this.#report(error, 'watch broke off');
          await this.#pause(signal);
          continue;
        }
        return this.#handleWatchError(error, signal);
      }
      // A server that ends watches at once must not be asked in a tight loop.
      if (events === 0 && this.options.clock.monotonic() - startedAt < 1000) await this.#pause(signal);
    }
  }

  /** Returning means: list again. */
  #handleWatchError(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (!isExpired(error) && !isGone(error)) throw error;
    this.#versionUnavailable = true;
    this.#logger.debug('watch is too old: listing again', { name: this.options.name });
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { labelSelector, fieldSelector, source } = this.options;
    const selectors = { labelSelector, fieldSelector, signal };
    // '0' is served from the server's cache; never older than what was seen, unless that is gone.
    const from = this.#versionUnavailable ? '' : this.#resourceVersion || '0';
    let page: KubeList<T>;
    try {
      page = await source.list({ ...selectors, resourceVersion: from });
    } catch (error) {
      if (!isExpired(error) && !isGone(error)) throw error;
      this.#versionUnavailable = true;
      page = await source.list({ ...selectors, resourceVersion: '' });
    }
    let items = page.items;
    let last = page;
    while (last.metadata.continue) {
      last = await source.list({ ...selectors, continue: last.metadata.continue });
      items = items.concat(last.items);
    }
    this.#resourceVersion = page.metadata.resourceVersion ?? '';
    this.#versionUnavailable = false;
    this.options.sink.replace(items, this.#resourceVersion);
  }

  /** Returns how many events came when the server ended the watch. With `initial`, the sink gets the first state as one replace. */
  async #watch(signal: AbortSignal, initial: boolean): Promise<number> {
    const { source, sink, random, labelSelector, fieldSelector } = this.options;
    let snapshot: Map<string, T> | undefined = initial ? new Map() : undefined;
    let count = 0;
    const batches = source.watchBatches({
      labelSelector,
      fieldSelector,
      signal,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(MIN_WATCH_SECONDS * (1 + random.next())),
      ...(initial
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const, resourceVersion: this.#versionUnavailable ? '' : this.#resourceVersion }
        : { resourceVersion: this.#resourceVersion }),
    });
    for await (const batch of batches) {
      for (const event of batch) {
        checkWatchEvent(event);
        count++;
        const { metadata } = event.object;
        if (snapshot) {
          if (event.type === 'BOOKMARK' && metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
            this.#versionUnavailable = false;
            sink.replace([...snapshot.values()], metadata.resourceVersion ?? '');
            snapshot = undefined;
          } else if (event.type !== 'BOOKMARK') {
            const key = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
            if (event.type === 'DELETED') snapshot.delete(key);
            else snapshot.set(key, event.object);
            continue;
          }
        } else if (event.type !== 'BOOKMARK') sink.apply(event);
        if (metadata.resourceVersion) this.#resourceVersion = metadata.resourceVersion;
      }
      if (count > 0) this.#backoff.reset();
    }
    if (snapshot && !signal.aborted) throw new TransportError('watch ended before the initial events did', true);
    return count;
  }

  #report(error: unknown, message: string): void {
    this.#logger.warn(message, { name: this.options.name, err: error });
    this.options.onError?.(error);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await this.options.clock.sleep(this.#backoff.next(), signal).catch(() => {});
  }
}
