import type { KubeObject } from '@coxswain/api';
import { formatGroupVersion, type Status } from '@coxswain/apimachinery';
import { checkWatchEvent, decodeWatch } from '../watch/watch-decoder.js';
import type { WatchEvent } from '../watch/watch-event.js';
import { PATCH_TYPES, encodeQuery, listQuery, writeQuery } from './options.js';
import type { ApplyOptions, DeleteOptions, GetOptions, ListOptions, PatchOptions, PatchType, RequestOptions, WatchOptions, WriteOptions } from './options.js';
import { resourcePath, type ResourceRef } from './resource-ref.js';
import type { RestClient, RestRequest } from './rest-client.js';

export interface KubeList<T> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** A partial object to apply or merge: plain JSON. */
export type Body = object;

/**
 * The verbs of one resource. Objects are returned as the server sent them; with an in-process transport they may be shared, so treat
 * them as read-only (clone before changing). Everything throws `ApiError`.
 */
export class ResourceClient<T extends KubeObject> {
  constructor(
    readonly rest: RestClient,
    readonly ref: ResourceRef<T>,
    private readonly boundNamespace?: string,
  ) {}

  /** The same resource in one namespace. */
  namespace(namespace: string | undefined): ResourceClient<T> {
    return new ResourceClient(this.rest, this.ref, namespace);
  }

  get(name: string, options: GetOptions = {}): Promise<T> {
    return this.rest.json<T>(this.#at('GET', name, undefined, encodeQuery({ resourceVersion: options.resourceVersion }), options));
  }

  /** One page (all when there is no `limit`). Items carry apiVersion and kind. */
  async list(options: ListOptions = {}): Promise<KubeList<T>> {
    const list = await this.rest.json<KubeList<T>>(this.#all('GET', encodeQuery(listQuery(options)), options));
    return withItemKinds(list, formatGroupVersion(this.ref), this.ref.kind);
  }

  /** All items, page by page. A page token that expires in between starts over without pages, as upstream's pager does. */
  async *items(options: ListOptions = {}): AsyncIterable<T> {
    let page = await this.list({ limit: 500, ...options });
    for (;;) {
      yield* page.items;
      const next = page.metadata.continue;
      if (!next) return;
      page = await this.list({ limit: 500, ...options, resourceVersion: undefined, resourceVersionMatch: undefined, continue: next });
    }
  }

  /** Changes, one by one. Ends when the server ends it or the signal aborts. Bookmarks only when asked for. */
  async *watch(options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    for await (const batch of this.watchBatches(options)) {
      for (const event of batch) {
        checkWatchEvent(event);
        yield event;
      }
    }
  }

  /** Changes as they arrive together; events of type ERROR are passed on as they are. */
  async *watchBatches(options: WatchOptions = {}): AsyncIterable<readonly WatchEvent<T>[]> {
    const { allowWatchBookmarks, sendInitialEvents, timeoutSeconds } = options;
    const query = encodeQuery({ watch: true, ...listQuery(options), allowWatchBookmarks, sendInitialEvents, timeoutSeconds });
    const response = await this.rest.stream(this.#all('GET', query, options));
    if (response.events) yield* response.events as AsyncIterable<readonly WatchEvent<T>[]>;
    else yield* decodeWatch<T>(response.chunks);
  }

  create(object: T, options: WriteOptions = {}): Promise<T> {
    return this.rest.json<T>({ ...this.#all('POST', encodeQuery(writeQuery(options)), options, object.metadata.namespace), body: this.#typed(object) });
  }

  update(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#put(object, undefined, options);
  }

  updateStatus(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#put(object, 'status', options);
  }

  patch(name: string, type: PatchType, patch: Body, options: PatchOptions = {}): Promise<T> {
    const query = encodeQuery({ ...writeQuery(options), force: type === 'apply' ? options.force : undefined });
    const request = this.#at('PATCH', name, options.subresource, query, options);
    return this.rest.json<T>({ ...request, raw: JSON.stringify(patch), headers: { 'content-type': PATCH_TYPES[type] } });
  }

  /** Server-side apply of the fields in `object`. */
  apply<B extends Body & { metadata?: { name?: string; namespace?: string } }>(object: B, options: ApplyOptions): Promise<T> {
    const name = object.metadata?.name ?? '';
    const { namespace } = object.metadata ?? {};
    const here = this.boundNamespace === undefined && namespace !== undefined ? this.namespace(namespace) : this;
    return here.patch(name, 'apply', this.#typed(object), options);
  }

  /** The deleted object, or a Status when it is gone at once. */
  delete(name: string, options: DeleteOptions = {}): Promise<T | Status> {
    return this.rest.json<T | Status>({ ...this.#at('DELETE', name, undefined, '', options), body: deleteBody(options) });
  }

  deleteCollection(options: DeleteOptions = {}, list: ListOptions = {}): Promise<KubeList<T> | Status> {
    return this.rest.json<KubeList<T> | Status>({ ...this.#all('DELETE', encodeQuery(listQuery(list)), options), body: deleteBody(options) });
  }

  /** Read a subresource: `subresource<Scale>('web', 'scale').get()`. */
  subresource<S = KubeObject>(name: string, subresource: string) {
    const request = (method: RestRequest['method'], options: RequestOptions, query: string) => this.#at(method, name, subresource, query, options);
    return {
      get: (options: RequestOptions = {}): Promise<S> => this.rest.json<S>(request('GET', options, '')),
      create: (body: Body, options: WriteOptions = {}): Promise<S> =>
        this.rest.json<S>({ ...request('POST', options, encodeQuery(writeQuery(options))), body }),
      update: (body: Body, options: WriteOptions = {}): Promise<S> => this.rest.json<S>({ ...request('PUT', options, encodeQuery(writeQuery(options))), body }),
    };
  }

  #put(object: T, subresource: string | undefined, options: WriteOptions): Promise<T> {
    const request = this.#at('PUT', object.metadata.name ?? '', subresource, encodeQuery(writeQuery(options)), options, object.metadata.namespace);
    return this.rest.json<T>({ ...request, body: this.#typed(object) });
  }

  /** Objects taken from lists of other servers may lack their kind. */
  #typed(object: Body): Body {
    const { apiVersion, kind } = object as Partial<KubeObject>;
    if ((apiVersion && kind) || !this.ref.kind) return object;
    return { apiVersion: formatGroupVersion(this.ref), kind: this.ref.kind, ...object };
  }

  #at(
    method: RestRequest['method'],
    name: string,
    subresource: string | undefined,
    query: string,
    { signal }: RequestOptions,
    objectNamespace?: string,
  ): RestRequest {
    if (name === '') throw new Error('resource name may not be empty');
    const path = resourcePath(this.ref, this.boundNamespace ?? objectNamespace, name, subresource);
    return { method, path, query, signal, resource: this.ref, name };
  }

  #all(method: RestRequest['method'], query: string, { signal }: RequestOptions, objectNamespace?: string): RestRequest {
    return { method, path: resourcePath(this.ref, this.boundNamespace ?? objectNamespace), query, signal, resource: this.ref };
  }
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy && { propagationPolicy }),
    ...(preconditions && { preconditions }),
    ...(dryRun && { dryRun: ['All'] }),
  };
}

/** Upstream leaves kind and apiVersion out of list items. Items that have them are left alone: they may be shared. */
function withItemKinds<T extends KubeObject>(list: KubeList<T>, apiVersion: string, kind: string | undefined): KubeList<T> {
  if (!list.items) return { ...list, items: [] };
  const itemKind = kind ?? list.kind.replace(/List$/, '');
  const first = list.items[0];
  if (!first || (first.apiVersion && first.kind)) return list;
  return { ...list, items: list.items.map((item) => ({ ...item, apiVersion, kind: itemKind })) };
}
