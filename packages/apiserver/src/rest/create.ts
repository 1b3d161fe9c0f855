import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { RequestContext } from '../request/request-context.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import { admissionRequest } from './admission-request.js';
import { recordManager } from './field-managers.js';
import { checkNamespace, ensureMetadata, fillMeta, generateName } from './object-meta.js';
import { type RestEnv, strategyContext } from './rest-env.js';
import type { WriteOptions } from './write-options.js';
import type { WriteResult } from './write-result.js';
import { validateNew } from './validate.js';

const MAX_NAME_ATTEMPTS = 8;
const MAX_CLAIM_ATTEMPTS = 16;

/**
 * Create `object` (of the served version, already decoded; handed over).
 * `managed` false: its managedFields are set already (apply).
 */
export async function create(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  object: KubeObject,
  options: WriteOptions,
  managed = true,
): Promise<WriteResult> {
  const { definition, groupResource } = served;
  const { strategy } = definition;
  const storage = served.storage as ResourceStorage;
  const { namespace } = context.resource;
  ensureMetadata(object);
  checkNamespace(object, definition.namespaced, namespace);
  const { metadata } = object;
  if (metadata.resourceVersion) throw ApiError.badRequest('resourceVersion should not be set on objects to be created');
  delete metadata.resourceVersion;
  if (metadata.deletionTimestamp) delete metadata.deletionTimestamp;
  const generated = !metadata.name && metadata.generateName ? metadata.generateName : undefined;
  const now = env.clock.now();
  fillMeta(object, env.random, now);
  strategy.default?.(object);
  // What admission adds is nobody's, as upstream.
  if (managed) recordManager(served, undefined, object, options.fieldManager, '', now);
  const request = admissionRequest(context, served, {
    operation: 'CREATE',
    subresource: '',
    namespace,
    name: generated === undefined ? (metadata.name ?? '') : '',
    dryRun: options.dryRun,
    object,
  });
  const signal = () => context.request.signal;
  await env.admission.admit(request, signal);
  // What follows from the object (its class of service, its selector) follows from it as admission has left it, and from its name.
  const complete = () => {
    // Not the metadata from above: admission may have put others in their place.
    if (generated !== undefined) object.metadata.name = generateName(generated, env.random);
    strategy.prepareForCreate?.(object, strategyContext(env, context, now));
    strategy.canonicalize?.(object);
  };
  complete();
  const hooks = env.hooks.get(served.name);
  for (let attempt = 1; ; attempt++) {
    const name = object.metadata.name ?? '';
    // Also when nothing is going to be written: what cannot be given is refused all the same.
    const allocation = await hooks?.beginCreate?.(context, object);
    try {
      if (attempt === 1) {
        validateNew(served, object, hooks);
        await env.admission.validate(request, signal);
        for (const warning of strategy.warnings?.(object) ?? []) context.warn(warning);
      }
      if (options.dryRun) {
        if (storage.cache.get(namespace, name)) throw ApiError.alreadyExists(groupResource, name);
        return { type: 'unstored', object, created: true };
      }
      const lease = hooks?.expires ? await env.eventLeases.lease() : undefined;
      const outcome = await storage.create(namespace, name, await served.toStorage(object), lease, allocation?.companions, context);
      if (outcome.type === 'written') {
        await served.readable([outcome.object]);
        return { type: 'stored', object: outcome.object, created: true };
      }
    } catch (error) {
      allocation?.release();
      throw error;
    }
    allocation?.release();
    const exists = storage.cache.get(namespace, name) ?? (await storage.fresh(namespace, name, context));
    if (exists && generated === undefined) throw ApiError.alreadyExists(groupResource, name);
    if (exists && attempt >= MAX_NAME_ATTEMPTS) throw ApiError.generateNameConflict(groupResource, name, 1);
    // No such object: a claim (an address, a port) was taken in between; the next round claims another.
    if (!exists && attempt >= MAX_CLAIM_ATTEMPTS) throw ApiError.serverTimeout(groupResource, 'create', 1);
    if (generated !== undefined) complete();
  }
}
