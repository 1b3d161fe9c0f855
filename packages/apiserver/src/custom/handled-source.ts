import { ApiError } from '@coxswain/apimachinery';
import type { ApiList, ApiWatchEvent, ApiWatchRequest, Clock, Logger, Random } from '@coxswain/sdk';
import type { ServedResource } from '../registry/served-resource.js';
import type { StreamSink } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import { buildFilter } from '../rest/build-filter.js';
import type { ListOptions } from '../rest/list-options.js';
import type { ListResult } from '../rest/list.js';
import { watchSeconds } from '../rest/watch-seconds.js';
import type { ObjectSource } from '../storage/object-source.js';
import type { StoredObject } from '../storage/stored-object.js';
import { filterMatches } from '../storage/watch-filter.js';
import type { WatchFilter } from '../storage/watch-filter.js';
import type { WatchEncoder } from '../storage/watch-groups.js';
import { callOf } from './handled-storage.js';
import type { HandledStorage } from './handled-storage.js';

const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' } as const;

/** Reads of a kind by its handlers: selectors, tables and framing are the machinery's, the objects theirs. */
export class HandledSource implements ObjectSource {
  constructor(
    readonly storage: HandledStorage,
    readonly env: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  ) {}

  async get(context: RequestContext, served: ServedResource): Promise<StoredObject> {
    const { namespace, name } = context.resource;
    const found = await this.storage.fresh(namespace, name, context);
    if (!found) throw ApiError.notFound(served.groupResource, name);
    return found;
  }

  async list(context: RequestContext, served: ServedResource, options: ListOptions): Promise<ListResult> {
    const filter = filterOf(context, served, options);
    const list = await this.#ask(context, options, options.limit, options.continue);
    const { resourceVersion = '0', continue: next, remainingItemCount } = list;
    return {
      objects: this.#selected(list, filter),
      metadata: { resourceVersion, ...(next ? { continue: next } : {}), ...(remainingItemCount === undefined ? {} : { remainingItemCount }) },
    };
  }

  async watch(context: RequestContext, served: ServedResource, options: ListOptions, encoder: WatchEncoder): Promise<(sink: StreamSink) => void> {
    const { handlers } = this.storage;
    if (!handlers.watch) throw ApiError.methodNotSupported(served.groupResource, 'watch');
    const filter = filterOf(context, served, options);
    let from = options.resourceVersion;
    let initial: readonly StoredObject[] | undefined;
    if (options.sendInitialEvents === true || (options.sendInitialEvents === undefined && (from === '' || from === '0'))) {
      const list = await this.#ask(context, options, 0, '');
      initial = this.#selected(list, filter);
      from = list.resourceVersion ?? '0';
    } else if (from === '' || from === '0') from = (await this.#ask(context, options, 0, '')).resourceVersion ?? '0';
    const end = new AbortController();
    const request: ApiWatchRequest = {
      user: context.user,
      signal: end.signal,
      namespace: context.resource.namespace,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: from,
      allowWatchBookmarks: options.allowWatchBookmarks,
    };
    const events = handlers.watch(request);
    return (sink) => this.#run({ sink, end, events, filter, encoder, initial, from, options });
  }

  #run({ sink, end, events, filter, encoder, initial, from, options }: Watch): void {
    const { clock, random } = this.env;
    const seconds = watchSeconds(options.timeoutSeconds, random);
    const cancel = clock.setTimeout(() => sink.end(), Math.min(seconds * 1000, 2 ** 31 - 1));
    sink.onClose(() => {
      cancel();
      end.abort();
    });
    // What the client has: an object that stops matching is deleted for it.
    const shown = new Set<string>((initial ?? []).map(keyOf));
    if (initial) {
      const frames = initial.map((object) => encoder.encode('ADDED', object));
      if (options.sendInitialEvents && options.allowWatchBookmarks) frames.push(encoder.bookmark(Number(from) || 0, INITIAL_EVENTS_END));
      if (frames.length > 0) sink.write(sink.framing.frame(frames));
    }
    const pump = async () => {
      for await (const { type, object } of events) {
        if (end.signal.aborted) return;
        const stored = this.storage.stored(object);
        const key = keyOf(stored);
        const matches = type !== 'DELETED' && filterMatches(filter, stored);
        // A client that began at a version may have it from its list.
        const had = shown.has(key) || (initial === undefined && type !== 'ADDED');
        if (matches) shown.add(key);
        else shown.delete(key);
        const told = matches ? (type === 'ADDED' || shownBefore(had, filter, type) ? type : 'ADDED') : had && inScope(filter, stored) ? 'DELETED' : undefined;
        if (told && !sink.write(sink.framing.frame([encoder.encode(told, stored)]))) return;
      }
    };
    pump().then(
      () => sink.end(),
      (error: unknown) => {
        if (end.signal.aborted) return;
        const failure = error instanceof ApiError ? error : ApiError.internalError(error as Error);
        if (!(error instanceof ApiError)) this.env.logger.error('a watch handler failed', { err: error, resource: this.storage.of.resource });
        sink.write(sink.framing.frame([encoder.error(failure.status)]));
        sink.end();
      },
    );
  }

  async #ask(context: RequestContext, options: ListOptions, limit: number, token: string): Promise<ApiList> {
    const { handlers, of } = this.storage;
    if (!handlers.list) throw ApiError.methodNotSupported({ group: of.group, resource: of.resource }, 'list');
    const { labelSelector, fieldSelector, resourceVersion } = options;
    return handlers.list({
      ...callOf(context),
      signal: context.request.signal,
      namespace: context.resource.namespace,
      labelSelector,
      fieldSelector,
      limit,
      continue: token,
      resourceVersion,
    });
  }

  #selected({ items }: ApiList, filter: WatchFilter): StoredObject[] {
    return items.map((item) => this.storage.stored(item)).filter((object) => filterMatches(filter, object));
  }
}

interface Watch {
  readonly sink: StreamSink;
  readonly end: AbortController;
  readonly events: AsyncIterable<ApiWatchEvent>;
  readonly filter: WatchFilter;
  readonly encoder: WatchEncoder;
  readonly initial: readonly StoredObject[] | undefined;
  readonly from: string;
  readonly options: ListOptions;
}

const keyOf = ({ namespace, name }: StoredObject): string => `${namespace}/${name}`;

/** Without a selector a change is a change; with one it may be the first the client sees of the object. */
const shownBefore = (had: boolean, filter: WatchFilter, type: ApiWatchEvent['type']): boolean => type === 'MODIFIED' && (had || filter.selects === undefined);

const inScope = ({ id, scope }: WatchFilter, object: StoredObject): boolean => filterMatches({ id, scope }, object);

function filterOf(context: RequestContext, served: ServedResource, { labelSelector, fieldSelector }: ListOptions): WatchFilter {
  const { namespace, name } = context.resource;
  return buildFilter(served, namespace, name, labelSelector, fieldSelector);
}
