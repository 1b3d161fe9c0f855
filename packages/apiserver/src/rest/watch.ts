import { ApiError } from '@coxswain/apimachinery';
import { CompactedError } from '@coxswain/sdk';
import type { Clock } from '@coxswain/sdk';
import type { StreamSink } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import { eventsFromStore } from '../storage/history.js';
import type { CacheEvent, ResourceCache } from '../storage/resource-cache.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { WatchFilter } from '../storage/watch-filter.js';
import { frameFor } from '../storage/watch-groups.js';
import type { Frame, WatchEncoder } from '../storage/watch-groups.js';
import { buildFilter } from './build-filter.js';
import { parseResourceVersion } from './list-options.js';
import type { ListOptions } from './list-options.js';
import type { RestEnv } from './rest-env.js';
import { selectAll } from './select-objects.js';
import { waitForRevision } from './wait-for-revision.js';
import { watchSeconds } from './watch-seconds.js';

const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' } as const;

/** Where a watch begins. */
type Start =
  /** The present objects as ADDED, then changes. */
  | { readonly type: 'state' }
  /** `missed`: what happened after it that the cache no longer has, up to `resumeAt`. */
  | { readonly type: 'revision'; readonly revision: number; readonly resumeAt?: number; readonly missed?: readonly CacheEvent[] };

/** Prepare a watch; the returned function starts it on a stream, synchronously, so that nothing falls between. */
export async function watch(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  options: ListOptions,
  encoder: WatchEncoder,
): Promise<(sink: StreamSink) => void> {
  if (served.source) return served.source.watch(context, served, options, encoder);
  const storage = served.storage as ResourceStorage;
  const { cache } = storage;
  const { namespace, name } = context.resource;
  const filter = buildFilter(served, namespace, name, options.labelSelector, options.fieldSelector);
  const revision = parseResourceVersion(options.resourceVersion);
  const start = await withHistory(env, context, storage, await startOf(env, options, revision));
  const timeoutSeconds = watchSeconds(options.timeoutSeconds, env.random, env.minWatchSeconds);
  const onSent = env.watchCounter?.(context);
  return (sink) => run(env, cache, filter, encoder, start, options, timeoutSeconds, sink, onSent);
}

async function startOf(env: RestEnv, options: ListOptions, revision: number | undefined): Promise<Start> {
  if (revision === undefined) {
    const barrier = env.feed.barrier();
    if (barrier) await barrier;
  } else if (options.sendInitialEvents) await waitForRevision(env, revision);
  if (options.sendInitialEvents === true) return { type: 'state' };
  if (options.sendInitialEvents === false) return { type: 'revision', revision: revision === undefined || revision === 0 ? env.feed.revision : revision };
  return revision === undefined || revision === 0 ? { type: 'state' } : { type: 'revision', revision };
}

/** A client that comes back after long, or after our restart, gets what it missed from the store's history. */
async function withHistory(env: RestEnv, context: RequestContext, storage: ResourceStorage, start: Start): Promise<Start> {
  if (start.type === 'state' || start.revision >= storage.cache.oldestWatchRevision) return start;
  const resumeAt = env.feed.revision;
  try {
    const missed = await eventsFromStore(storage, start.revision, resumeAt, context.request.signal);
    return missed ? { ...start, resumeAt, missed } : start;
  } catch (error) {
    if (error instanceof CompactedError) return start;
    throw error;
  }
}

function run(
  env: RestEnv,
  cache: ResourceCache,
  filter: WatchFilter,
  encoder: WatchEncoder,
  start: Start,
  options: ListOptions,
  timeoutSeconds: number,
  sink: StreamSink,
  onSent: ((count: number) => void) | undefined,
): void {
  const frames: Frame[] = [];
  if (start.type === 'state') {
    for (const object of selectAll(cache, filter)) frames.push(encoder.encode('ADDED', object));
    if (options.sendInitialEvents && options.allowWatchBookmarks) frames.push(encoder.bookmark(env.feed.revision, INITIAL_EVENTS_END));
  } else {
    const missed = cache.eventsSince(start.resumeAt ?? start.revision);
    if (!missed) {
      const error = ApiError.expired(`too old resource version: ${start.revision} (${cache.oldestWatchRevision})`);
      sink.write(sink.framing.frame([encoder.error(error.status)]));
      sink.end();
      return;
    }
    for (const event of start.missed ? [...start.missed, ...missed] : missed) {
      const frame = frameFor(event, filter, encoder);
      if (frame) frames.push(frame);
    }
  }
  if (frames.length > 0) {
    sink.write(sink.framing.frame(frames));
    onSent?.(frames.length);
  }
  const future = start.type === 'revision' && start.revision > cache.revision ? start.revision : undefined;
  const effective: WatchFilter = future === undefined ? filter : notBefore(filter, future);
  const unsubscribe = cache.groups.subscribe(effective, encoder, { sink, bookmarks: options.allowWatchBookmarks, ...(onSent ? { onSent } : {}) });
  const cancel = timeout(env.clock, timeoutSeconds, () => sink.end());
  sink.onClose(() => {
    unsubscribe();
    cancel();
  });
}

/** A watch from a revision that is yet to come sees nothing up to it. */
function notBefore(filter: WatchFilter, revision: number): WatchFilter {
  const { selects } = filter;
  return {
    id: `${filter.id}\n>${revision}`,
    scope: filter.scope,
    selects: (object) => object.revision > revision && (selects === undefined || selects(object)),
  };
}

function timeout(clock: Clock, seconds: number, end: () => void): () => void {
  // Timers of more than 24.8 days overflow.
  return clock.setTimeout(end, Math.min(seconds * 1000, 2 ** 31 - 1));
}
