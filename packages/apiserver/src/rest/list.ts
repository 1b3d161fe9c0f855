import { ApiError } from '@coxswain/apimachinery';
import { CompactedError, FutureRevisionError } from '@coxswain/sdk';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import { decodeContinue, encodeContinue } from '../storage/continue-token.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { StoredObject } from '../storage/stored-object.js';
import { filterMatches } from '../storage/watch-filter.js';
import type { WatchFilter } from '../storage/watch-filter.js';
import type { ListMeta } from '../registry/list-encoder.js';
import { buildFilter } from './build-filter.js';
import { parseResourceVersion } from './list-options.js';
import type { ListOptions } from './list-options.js';
import type { RestEnv } from './rest-env.js';
import { selectAll, selectPage } from './select-objects.js';
import { tooLarge } from './too-large.js';
import { waitForRevision } from './wait-for-revision.js';

export interface ListResult {
  readonly objects: readonly StoredObject[];
  readonly metadata: ListMeta;
}

/** The list a request asks for, by the rules of resourceVersion, resourceVersionMatch, limit and continue. */
export async function list(env: RestEnv, context: RequestContext, served: ServedResource, options: ListOptions): Promise<ListResult> {
  if (served.source) return served.source.list(context, served, options);
  const storage = served.storage as ResourceStorage;
  const { namespace, name } = context.resource;
  const filter = buildFilter(served, namespace, name, options.labelSelector, options.fieldSelector);
  if (options.continue !== '') return continueList(env, storage, filter, namespace, options);
  const revision = parseResourceVersion(options.resourceVersion);
  const exact =
    options.resourceVersionMatch === 'Exact' || (options.resourceVersionMatch === '' && options.limit > 0 && revision !== undefined && revision > 0);
  if (exact && revision !== undefined) {
    await waitForRevision(env, revision);
    return readAt(env, storage, filter, namespace, revision, '', options.limit);
  }
  if (revision === undefined) {
    const barrier = env.feed.barrier();
    if (barrier) await barrier;
  } else await waitForRevision(env, revision);
  return fromCache(env, storage, filter, options.limit);
}

function fromCache(env: RestEnv, storage: ResourceStorage, filter: WatchFilter, limit: number, after = ''): ListResult {
  // A list of an empty registry still needs a version to watch from.
  const revision = Math.max(env.feed.revision, 1);
  const resourceVersion = String(revision);
  if (limit === 0 && after === '') return { objects: selectAll(storage.cache, filter), metadata: { resourceVersion } };
  const page = selectPage(storage.cache, filter, after, limit === 0 ? Number.MAX_SAFE_INTEGER : limit);
  if (page.last === undefined) return { objects: page.objects, metadata: { resourceVersion } };
  return {
    objects: page.objects,
    metadata: {
      resourceVersion,
      continue: encodeContinue({ revision, start: page.last }),
      ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
    },
  };
}

async function continueList(env: RestEnv, storage: ResourceStorage, filter: WatchFilter, namespace: string, options: ListOptions): Promise<ListResult> {
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw ApiError.badRequest('specifying resource version is not allowed when using continue');
  }
  const token = decodeContinue(options.continue);
  if (!token) throw ApiError.badRequest('continue key is not valid: encoded continue key is not valid');
  if (token.revision < 0) {
    const barrier = env.feed.barrier();
    if (barrier) await barrier;
    return fromCache(env, storage, filter, options.limit, token.start);
  }
  return readAt(env, storage, filter, namespace, token.revision, token.start, options.limit);
}

/** As of an old revision: from the cache while nothing has changed since, else from the store's history. */
async function readAt(
  env: RestEnv,
  storage: ResourceStorage,
  filter: WatchFilter,
  namespace: string,
  revision: number,
  after: string,
  limit: number,
): Promise<ListResult> {
  const since = storage.cache.eventsSince(revision);
  if (since?.length === 0) {
    const page = fromCache(env, storage, filter, limit, after);
    const next = page.metadata.continue === undefined ? undefined : decodeContinue(page.metadata.continue);
    const metadata = { ...page.metadata, resourceVersion: String(revision), ...(next ? { continue: encodeContinue({ revision, start: next.start }) } : {}) };
    return { objects: page.objects, metadata };
  }
  try {
    return await readHistory(storage, filter, namespace, revision, after, limit);
  } catch (error) {
    if (error instanceof CompactedError) throw expired(after);
    if (error instanceof FutureRevisionError) throw tooLarge(revision, storage.feed.revision);
    throw error;
  }
}

async function readHistory(
  storage: ResourceStorage,
  filter: WatchFilter,
  namespace: string,
  revision: number,
  after: string,
  limit: number,
): Promise<ListResult> {
  const objects: StoredObject[] = [];
  const resourceVersion = String(revision);
  let start = after;
  for (;;) {
    const page = await storage.page(start, namespace, revision, limit === 0 ? 0 : Math.max(limit, 500));
    for (const [i, object] of page.objects.entries()) {
      if (!filterMatches(filter, object)) continue;
      objects.push(object);
      if (limit === 0 || objects.length < limit) continue;
      const left = page.objects.length - i - 1 + page.remaining;
      if (left === 0) break;
      const metadata: ListMeta = { resourceVersion, continue: encodeContinue({ revision, start: storage.path(object.namespace, object.name) }) };
      const plain = filter.selects === undefined && (filter.scope.type === 'all' || filter.scope.type === 'namespace');
      return { objects, metadata: plain ? { ...metadata, remainingItemCount: left } : metadata };
    }
    const last = page.objects.at(-1);
    if (!page.more || !last) return { objects, metadata: { resourceVersion } };
    start = storage.path(last.namespace, last.name);
  }
}

function expired(after: string): ApiError {
  if (after === '') return ApiError.expired(`The resourceVersion for the provided list is too old.`);
  const error = ApiError.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const metadata = { ...error.status.metadata, continue: encodeContinue({ revision: -1, start: after }) };
  return new ApiError({ ...error.status, metadata });
}
