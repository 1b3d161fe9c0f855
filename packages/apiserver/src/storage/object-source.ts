import type { ServedResource } from '../registry/served-resource.js';
import type { StreamSink } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import type { ListOptions } from '../rest/list-options.js';
import type { ListResult } from '../rest/list.js';
import type { StoredObject } from './stored-object.js';
import type { WatchEncoder } from './watch-groups.js';

/** Reads of objects that no store of ours keeps. */
export interface ObjectSource {
  /** Rejects with 404. */
  get(context: RequestContext, served: ServedResource): Promise<StoredObject>;
  list(context: RequestContext, served: ServedResource, options: ListOptions): Promise<ListResult>;
  /** Prepares a watch; the returned function starts it on a stream. */
  watch(context: RequestContext, served: ServedResource, options: ListOptions, encoder: WatchEncoder): Promise<(sink: StreamSink) => void>;
}
