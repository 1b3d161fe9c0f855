import type { ConfigMap, KubeObject, Secret } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { Clock, Logger } from '@coxswain/sdk';

export type ObjectKind = 'ConfigMap' | 'Secret';
type ObjectOf<K extends ObjectKind> = K extends 'ConfigMap' ? ConfigMap : Secret;

interface Entry {
  refs: number;
  /** null: known not to exist. */
  value: KubeObject | null | undefined;
  first: Promise<void>;
  stop: AbortController;
}

/**
 * The config maps and secrets that pods on this node use: one watch per referenced object (a node may read no others), started with the
 * first reference and stopped with the last.
 */
export class ObjectStore {
  readonly #entries = new Map<string, Entry>();
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #changed: (kind: ObjectKind, namespace: string, name: string) => void;

  constructor(client: KubeClient, clock: Clock, logger: Logger, changed: (kind: ObjectKind, namespace: string, name: string) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
    this.#changed = changed;
  }

  /** Keep the object watched. Returns the undo. */
  acquire(kind: ObjectKind, namespace: string, name: string): () => void {
    const key = keyOf(kind, namespace, name);
    let entry = this.#entries.get(key);
    if (!entry) {
      const stop = new AbortController();
      let ready = () => {};
      const first = new Promise<void>((resolve) => (ready = resolve));
      entry = { refs: 0, value: undefined, first, stop };
      this.#entries.set(key, entry);
      void this.#follow(kind, namespace, name, entry, ready);
    }
    entry.refs++;
    let done = false;
    return () => {
      if (done) return;
      done = true;
      entry.refs--;
      if (entry.refs > 0) return;
      entry.stop.abort();
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
  }

  /** The object, or undefined when there is none. What was not acquired, or is not there as far as known, is asked for. */
  async get<K extends ObjectKind>(kind: K, namespace: string, name: string, signal?: AbortSignal): Promise<ObjectOf<K> | undefined> {
    const entry = this.#entries.get(keyOf(kind, namespace, name));
    if (entry) {
      await entry.first;
      if (entry.value) return entry.value as ObjectOf<K>;
    }
    try {
      const object: KubeObject = await this.#resource(kind, namespace).get(name, { signal });
      return object as ObjectOf<K>;
    } catch (error) {
      if ((error as { code?: unknown }).code === 404) return undefined;
      throw error;
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.stop.abort();
    this.#entries.clear();
  }

  #resource(kind: ObjectKind, namespace: string) {
    return this.#client.resource<KubeObject>(
      { group: '', version: 'v1', resource: kind === 'ConfigMap' ? 'configmaps' : 'secrets', kind, namespaced: true },
      namespace,
    );
  }

  async #follow(kind: ObjectKind, namespace: string, name: string, entry: Entry, ready: () => void): Promise<void> {
    const { signal } = entry.stop;
    const resource = this.#resource(kind, namespace);
    const fieldSelector = `metadata.name=${name}`;
    const set = (value: KubeObject | null) => {
      const before = entry.value;
      entry.value = value;
      if (before !== undefined && before?.metadata.resourceVersion !== value?.metadata.resourceVersion) this.#changed(kind, namespace, name);
    };
    for (let wait = 200; !signal.aborted; wait = Math.min(wait * 2, 30_000)) {
      try {
        const list = await resource.list({ fieldSelector, signal });
        set(list.items[0] ?? null);
        ready();
        let from = list.metadata.resourceVersion;
        while (!signal.aborted) {
          for await (const event of resource.watch({ fieldSelector, resourceVersion: from, allowWatchBookmarks: true, signal })) {
            wait = 200;
            from = event.object.metadata.resourceVersion ?? from;
            if (event.type === 'DELETED') set(null);
            else if (event.type !== 'BOOKMARK') set(event.object);
          }
          await this.#clock.sleep(200, signal);
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#logger.debug('watching an object failed; listing again', { kind, namespace, name, err: error });
        // Whoever waits for the first look asks directly and sees the error.
        ready();
        await this.#clock.sleep(wait, signal).catch(() => {});
      }
    }
    ready();
  }
}

const keyOf = (kind: string, namespace: string, name: string) => `${kind}/${namespace}/${name}`;
