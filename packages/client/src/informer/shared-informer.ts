import type { KubeObject } from '@coxswain/api';
import { deepFreeze } from '@coxswain/apimachinery';
import { silentLogger, type Clock, type Logger, type Random } from '@coxswain/sdk';
import { Observable } from 'rxjs';
import type { WatchEvent } from '../watch/watch-event.js';
import type { BackoffOptions } from './backoff.js';
import { objectKey } from './object-key.js';
import { Reflector, type ListWatch } from './reflector.js';
import { ObjectStore, type IndexFunction, type Lister } from './store.js';

/** Called synchronously, in order, with objects that are shared by everyone: never change them; queue a key and return. */
export interface InformerHandler<T> {
  /** `initial`: part of the first list, or of what a late subscriber is told. */
  add?(object: T, initial: boolean): void;
  update?(old: T, object: T): void;
  /** The last known state. */
  delete?(object: T): void;
}

export type InformerEvent<T> =
  | { readonly type: 'add'; readonly object: T; readonly initial: boolean }
  | { readonly type: 'update'; readonly old: T; readonly object: T }
  | { readonly type: 'delete'; readonly object: T };

export interface SharedInformerOptions<T extends KubeObject> {
  readonly source: ListWatch<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly name?: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Applied to every object before it is stored: drop what nobody reads (managedFields) to save memory. Must not change its argument. */
  readonly transform?: (object: T) => T;
  readonly sendInitialEvents?: boolean | undefined;
  /** Freeze objects, so that a handler that changes one fails loudly. For tests. */
  readonly freeze?: boolean;
  readonly logger?: Logger | undefined;
  readonly backoff?: BackoffOptions | undefined;
}

/** One list-watch shared by many handlers and readers. */
export class SharedInformer<T extends KubeObject> {
  readonly #store: ObjectStore<T>;
  readonly #handlers = new Set<{ readonly handler: InformerHandler<T> }>();
  readonly #whenSynced: Promise<void>;
  #resolveSynced: () => void = () => {};
  readonly #logger: Logger;
  #running: Promise<void> | undefined;
  #abort: AbortController | undefined;
  #hasSynced = false;
  #lastError: unknown;

  constructor(private readonly options: SharedInformerOptions<T>) {
    this.#store = new ObjectStore(options.indexes);
    this.#logger = options.logger ?? silentLogger;
    this.#whenSynced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  /** The first list is in the store and every handler was told of it. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Why the last attempt to list or watch failed; undefined when it works. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Cold: each subscriber is first told of what is there, as `initial` adds. Never errors; completes never. */
  readonly event$: Observable<InformerEvent<T>> = new Observable((subscriber) =>
    this.addHandler({
      add: (object, initial) => subscriber.next({ type: 'add', object, initial }),
      update: (old, object) => subscriber.next({ type: 'update', old, object }),
      delete: (object) => subscriber.next({ type: 'delete', object }),
    }),
  );

  addIndex(name: string, values: IndexFunction<T>): void {
    this.#store.addIndex(name, values);
  }

  /** Tells the handler of what is there, then of every change. Returns the undo. */
  addHandler(handler: InformerHandler<T>): () => void {
    if (handler.add) for (const object of this.#store.list()) this.#call(() => handler.add?.(object, true));
    // Wrapped, so that the same handler may be added twice.
    const entry = { handler };
    this.#handlers.add(entry);
    return () => {
      this.#handlers.delete(entry);
    };
  }

  /** Idempotent; returns at once. */
  start(): void {
    if (this.#running) return;
    const abort = new AbortController();
    this.#abort = abort;
    const { source, clock, random, name, labelSelector, fieldSelector, sendInitialEvents, logger, backoff } = this.options;
    const reflector = new Reflector<T>({
      source,
      clock,
      random,
      labelSelector,
      fieldSelector,
      sendInitialEvents,
      logger,
      backoff,
      ...(name && { name }),
      sink: { replace: (objects) => this.#replace(objects), apply: (event) => this.#apply(event) },
      onError: (error) => {
        this.#lastError = error;
      },
    });
    this.#running = reflector.run(abort.signal);
  }

  /** Resolves when `hasSynced`; rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void> {
    if (this.#hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#whenSynced.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  /** Idempotent; no handler is called afterwards. The store stays readable. */
  async stop(): Promise<void> {
    this.#abort?.abort(new Error('informer stopped'));
    this.#handlers.clear();
    await this.#running;
  }

  #prepare(object: T): T {
    const kept = this.options.transform ? this.options.transform(object) : object;
    return this.options.freeze ? deepFreeze(kept) : kept;
  }

  #replace(objects: readonly T[]): void {
    this.#lastError = undefined;
    const gone = new Set(this.#store.keys());
    for (const object of objects) {
      gone.delete(objectKey(object));
      this.#set(object, !this.#hasSynced);
    }
    for (const key of gone) this.#remove(key);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#resolveSynced();
    }
  }

  #apply(event: WatchEvent<T>): void {
    this.#lastError = undefined;
    if (event.type === 'DELETED') {
      // The store keeps what handlers saw last; the event's object is the final state, which is what they should see now.
      this.#store.set(this.#prepare(event.object));
      this.#remove(objectKey(event.object));
    } else this.#set(event.object, false);
  }

  #set(raw: T, initial: boolean): void {
    const current = this.#store.getByKey(objectKey(raw));
    const { resourceVersion, uid } = raw.metadata;
    if (current && resourceVersion !== undefined && current.metadata.resourceVersion === resourceVersion && current.metadata.uid === uid) return;
    const object = this.#prepare(raw);
    const old = this.#store.set(object);
    if (old && old.metadata.uid !== object.metadata.uid) {
      // Deleted and made again while nobody looked.
      this.#each((h) => h.delete?.(old));
      this.#each((h) => h.add?.(object, initial));
    } else if (old) this.#each((h) => h.update?.(old, object));
    else this.#each((h) => h.add?.(object, initial));
  }

  #remove(key: string): void {
    const old = this.#store.delete(key);
    if (old) this.#each((h) => h.delete?.(old));
  }

  #each(fn: (handler: InformerHandler<T>) => void): void {
    for (const { handler } of this.#handlers) this.#call(() => fn(handler));
  }

  /** One handler's failure is not the others'. */
  #call(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#logger.error('informer handler failed', { name: this.options.name, err: error });
    }
  }
}
