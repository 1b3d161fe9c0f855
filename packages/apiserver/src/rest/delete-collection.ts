import { ApiError, isNotFound } from '@coxswain/apimachinery';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { StoredObject } from '../storage/stored-object.js';
import { remove } from './delete.js';
import { parseDeleteOptions } from './delete-options.js';
import { list } from './list.js';
import type { ListResult } from './list.js';
import { parseListOptions } from './list-options.js';
import type { RestEnv } from './rest-env.js';

const WORKERS = 16;

/** Delete everything the list options select; answers with what was there. */
export async function removeCollection(env: RestEnv, context: RequestContext, served: ServedResource): Promise<ListResult> {
  if (served.definition.namespaced && context.resource.namespace === '') throw ApiError.methodNotSupported(served.groupResource, 'deletecollection');
  const options = await parseDeleteOptions(context);
  const selected = await list(env, context, served, parseListOptions(context.query, false));
  const queue = [...selected.objects];
  const work = async () => {
    for (let next: StoredObject | undefined = queue.shift(); next; next = queue.shift()) {
      try {
        await remove(env, context, served, next.namespace, next.name, options);
      } catch (error) {
        // Somebody else was faster: it is gone, as asked.
        if (!isNotFound(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, queue.length) }, work));
  return selected;
}
