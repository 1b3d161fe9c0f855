import type { ResourceDefinition, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import type { StateStore } from '@coxswain/sdk';
import { ResourceCache } from '../storage/resource-cache.js';
import type { CacheIndex } from '../storage/resource-cache.js';
import type { ObjectSource } from '../storage/object-source.js';
import { ResourceStorage } from '../storage/resource-storage.js';
import type { StoreFeed } from '../storage/store-feed.js';
import type { CustomOpenApi } from './custom-open-api.js';
import { ServedResource } from './served-resource.js';
import type { ShapeCheck } from './served-resource.js';
import type { VersionConverter } from './version-converter.js';

const WINDOW_SIZE = 4096;

/** Fields that are asked for often enough to be indexed, by storage prefix. */
const INDEXES: Readonly<Record<string, readonly CacheIndex[]>> = {
  '/registry/pods': [{ field: 'spec.nodeName', value: (pod) => (pod.spec?.nodeName as string | undefined) ?? '' }],
};

export interface Registration {
  readonly definition: ResourceDefinition;
  readonly lookup: SchemaLookup;
  readonly schema?: TypeSchema;
  readonly openApi?: CustomOpenApi;
  readonly shape?: ShapeCheck;
  readonly converter?: VersionConverter;
  /** Of kinds whose schema is not in `lookup`, when they have a protobuf form. */
  readonly message?: StructSchema;
  /** Objects are kept by somebody else: reads and writes go there instead of to the store. */
  readonly elsewhere?: { readonly source: ObjectSource; readonly storage: ResourceStorage };
}

/** Every resource served now. Definitions come and go (CRDs) while it runs. */
export class ResourceRegistry {
  readonly #served = new Map<string, ServedResource>();
  readonly #storages = new Map<string, { readonly storage: ResourceStorage; users: number }>();
  readonly #unserved = new Map<string, ResourceStorage>();
  /** What was looked for; forgotten with every change of `#served`. */
  readonly #byGroupResource = new Map<string, Map<string, ServedResource>>();
  readonly #listeners = new Set<() => void>();
  #started = false;

  constructor(
    readonly store: StateStore,
    readonly feed: StoreFeed,
  ) {}

  /** Before the feed starts: everything is loaded in one pass. */
  addBuiltIn(registration: Registration): ServedResource {
    const { served } = this.#register(registration);
    return served;
  }

  /** Objects of a resource that clients do not see, and that the server itself goes by (`storage`). */
  addUnserved({ definition }: Registration): void {
    if (!definition.virtual) this.#unserved.set(`${definition.resource}.${definition.group}`, this.#share(definition).storage);
  }

  /** The feed runs: what is added from now on loads by itself. */
  started(): void {
    this.#started = true;
  }

  /** Serve one more resource; resolves when its objects are loaded. */
  async add(registration: Registration): Promise<ServedResource> {
    const { served, fresh } = this.#register(registration);
    if (fresh && this.#started) await this.feed.load(fresh);
    this.#changed();
    return served;
  }

  /** Stop serving it; its stored objects stay. */
  remove(group: string, version: string, resource: string): void {
    const key = keyOf(group, version, resource);
    const served = this.#served.get(key);
    if (!served) return;
    this.#served.delete(key);
    this.#byGroupResource.clear();
    const shared = this.#storages.get(served.definition.storagePrefix);
    if (shared && --shared.users === 0) {
      this.#storages.delete(served.definition.storagePrefix);
      this.feed.remove(shared.storage.cache);
    }
    this.#changed();
  }

  /** Replace a definition whose storage stays (a CRD's new schema or columns). */
  replace(registration: Registration): ServedResource {
    const { definition, lookup, schema, openApi, shape, converter } = registration;
    const served = new ServedResource(definition, this.#storages.get(definition.storagePrefix)?.storage, lookup, schema, openApi, shape, converter);
    this.#served.set(keyOf(definition.group, definition.version, definition.resource), served);
    this.#byGroupResource.clear();
    this.#changed();
    return served;
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#served.get(keyOf(group, version, resource));
  }

  /** Any served version. */
  findGroupResource(group: string, resource: string): ServedResource | undefined {
    // By two texts that are there already: one made of both would be looked up by its characters each time.
    const known = this.#byGroupResource.get(group)?.get(resource);
    if (known) return known;
    for (const served of this.#served.values()) {
      if (served.definition.group !== group || served.definition.resource !== resource) continue;
      const ofGroup = this.#byGroupResource.get(group);
      if (ofGroup) ofGroup.set(resource, served);
      else this.#byGroupResource.set(group, new Map([[resource, served]]));
      return served;
    }
    return undefined;
  }

  findKind(group: string, version: string, kind: string): ServedResource | undefined {
    for (const { definition } of this.#served.values()) {
      if (definition.group === group && definition.version === version && definition.kind === kind)
        return this.#served.get(keyOf(group, version, definition.resource));
    }
    return undefined;
  }

  all(): ServedResource[] {
    return [...this.#served.values()];
  }

  /** The storage of a core or built-in resource; throws when there is none. */
  storage(group: string, resource: string): ResourceStorage {
    const found = this.findGroupResource(group, resource)?.storage ?? this.#unserved.get(`${resource}.${group}`);
    if (!found) throw new Error(`${resource}.${group} is not served`);
    return found;
  }

  storages(): ResourceStorage[] {
    return [...this.#storages.values()].map((entry) => entry.storage);
  }

  /** Called after resources came or went: discovery and OpenAPI follow. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #register({ definition, lookup, schema, openApi, shape, converter, elsewhere, message }: Registration): {
    served: ServedResource;
    fresh: ResourceCache | undefined;
  } {
    const key = keyOf(definition.group, definition.version, definition.resource);
    if (this.#served.has(key)) throw new Error(`${key} is defined twice`);
    let fresh: ResourceCache | undefined;
    let storage = elsewhere?.storage;
    if (!definition.virtual && !elsewhere) {
      ({ storage, fresh } = this.#share(definition));
    }
    const served = new ServedResource(definition, storage, lookup, schema, openApi, shape, converter, elsewhere?.source, message);
    this.#served.set(key, served);
    this.#byGroupResource.clear();
    return { served, fresh };
  }

  /** Versions of a resource have one storage; `fresh` when this is the first of them. */
  #share(definition: ResourceDefinition): { storage: ResourceStorage; fresh: ResourceCache | undefined } {
    const { storagePrefix, namespaced } = definition;
    const shared = this.#storages.get(storagePrefix);
    if (shared) {
      shared.users++;
      return { storage: shared.storage, fresh: undefined };
    }
    const { clock } = this.feed.options;
    const fresh = new ResourceCache({ prefix: `${storagePrefix}/`, namespaced, indexes: INDEXES[storagePrefix] ?? [], windowSize: WINDOW_SIZE, clock });
    this.feed.add(fresh);
    const storage = new ResourceStorage(this.store, this.feed, fresh);
    this.#storages.set(storagePrefix, { storage, users: 1 });
    return { storage, fresh };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`;
}
