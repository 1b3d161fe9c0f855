import { ApiError } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { RequestContext } from '../request/request-context.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { StoredObject } from '../storage/stored-object.js';
import { admissionRequest } from './admission-request.js';
import { checkUid, modified } from './conflicts.js';
import type { DeleteOptions } from './delete-options.js';
import { planDeletion } from './deletion.js';
import type { RestEnv } from './rest-env.js';

const MAX_ATTEMPTS = 30;

export interface DeleteResult {
  /** The last state, or the state it is in while something still holds it. */
  readonly object: StoredObject;
  readonly removed: boolean;
}

/** Delete, or begin to. */
export async function remove(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  namespace: string,
  name: string,
  options: DeleteOptions,
): Promise<DeleteResult> {
  const storage = served.storage as ResourceStorage;
  const { definition, groupResource } = served;
  const hooks = env.hooks.get(served.name);
  const { uid, resourceVersion } = options.preconditions;
  let stored = storage.cache.get(namespace, name);
  if (!stored && storage.store.currentRevision === undefined) stored = await storage.fresh(namespace, name, context);
  for (let attempt = 1; ; attempt++) {
    if (!stored) throw ApiError.notFound(groupResource, name);
    await served.readable([stored]);
    const old = served.codec.object(stored);
    checkUid(served, old, uid);
    if (resourceVersion !== undefined && resourceVersion !== String(stored.revision)) {
      throw ApiError.conflict(
        groupResource,
        name,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${stored.revision}`,
      );
    }
    const request = admissionRequest(context, served, { operation: 'DELETE', subresource: '', namespace, name, dryRun: options.dryRun, oldObject: old });
    const signal = () => context.request.signal;
    await env.admission.admit(request, signal);
    await env.admission.validate(request, signal);
    const step = planDeletion(old, definition.strategy, options, env.clock.now(), hooks);
    if (step.type === 'unchanged' || options.dryRun) return { object: stored, removed: step.type === 'remove' };
    const outcome =
      step.type === 'remove'
        ? await storage.delete(stored, hooks?.beginDelete?.(old), context)
        : await storage.update(stored, await served.toStorage(step.object), undefined, undefined, context);
    if (outcome.type === 'written') {
      await served.readable([outcome.object]);
      return { object: outcome.object, removed: step.type === 'remove' };
    }
    if (attempt >= MAX_ATTEMPTS) throw modified(served, name);
    stored = await storage.fresh(namespace, name, context);
  }
}
