import type { KubeObject, ResourceStrategy } from '@coxswain/api';
import { ApiError, deepEqual } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { RequestContext } from '../request/request-context.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { StoredObject } from '../storage/stored-object.js';
import { admissionRequest } from './admission-request.js';
import { checkUid, modified } from './conflicts.js';
import { create } from './create.js';
import { isReadyToRemove } from './deletion.js';
import { recordManager } from './field-managers.js';
import { carryMeta, checkName, checkNamespace, ensureMetadata } from './object-meta.js';
import { type RestEnv, strategyContext } from './rest-env.js';
import { validateChanged } from './validate.js';
import type { WriteOptions } from './write-options.js';
import type { WriteResult } from './write-result.js';

const MAX_ATTEMPTS = 30;

export interface UpdatePlan {
  /** '' for the main resource. */
  readonly subresource: string;
  readonly strategy: ResourceStrategy;
  /** The new object from the stored one, which it must not change. Called again after a lost race. */
  readonly transform: (current: KubeObject) => Promise<KubeObject> | KubeObject;
  /** What to create when there is none; absent: 404. */
  readonly create?: () => Promise<KubeObject> | KubeObject;
  /** False: `transform` has set managedFields itself (apply). */
  readonly managed: boolean;
  /** A patch: an object that came without resourceVersion is merged into whatever is there. */
  readonly patch: boolean;
  /** The kind admission sees, when it is not the resource's own. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
}

/** Read, change, write; again when somebody was faster and the request does not insist on one version. */
export async function update(env: RestEnv, context: RequestContext, served: ServedResource, plan: UpdatePlan, options: WriteOptions): Promise<WriteResult> {
  const storage = served.storage as ResourceStorage;
  const { namespace, name } = context.resource;
  const { groupResource } = served;
  let stored = storage.cache.get(namespace, name);
  if (!stored && storage.store.currentRevision === undefined) stored = await storage.fresh(namespace, name, context);
  for (let attempt = 1; ; attempt++) {
    if (!stored) {
      if (!plan.create) throw ApiError.notFound(groupResource, name);
      const created = await plan.create();
      await env.authorize(context, 'create');
      return create(env, context, served, created, options, plan.managed);
    }
    const result = await tryUpdate(env, context, served, storage, stored, plan, options);
    if (result) return result;
    if (attempt >= MAX_ATTEMPTS) throw modified(served, name);
    stored = await storage.fresh(namespace, name, context);
  }
}

async function tryUpdate(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  storage: ResourceStorage,
  stored: StoredObject,
  plan: UpdatePlan,
  options: WriteOptions,
): Promise<WriteResult | undefined> {
  const { namespace, name } = context.resource;
  const { definition } = served;
  const { strategy } = plan;
  await served.readable([stored]);
  const old = served.codec.object(stored);
  const object = await plan.transform(old);
  ensureMetadata(object);
  checkNamespace(object, definition.namespaced, namespace);
  const { metadata } = object;
  checkName(metadata.name, name);
  checkUid(served, old, metadata.uid || undefined);
  if (metadata.resourceVersion && metadata.resourceVersion !== '0') {
    if (metadata.resourceVersion !== String(stored.revision)) throw modified(served, name);
  } else if (!plan.patch && definition.strategy.allowUnconditionalUpdate !== true) {
    throw ApiError.invalid({ group: definition.group, kind: definition.kind }, name, [
      { type: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
    ]);
  }
  metadata.resourceVersion = String(stored.revision);
  carryMeta(object, old);

  const now = env.clock.now();
  strategy.default?.(object);
  if (plan.managed) recordManager(served, old, object, options.fieldManager, plan.subresource, now);
  const request = admissionRequest(context, served, {
    operation: 'UPDATE',
    subresource: plan.subresource,
    namespace,
    name,
    dryRun: options.dryRun,
    object,
    oldObject: old,
    ...(plan.kind ? { kind: plan.kind } : {}),
  });
  const signal = () => context.request.signal;
  await env.admission.admit(request, signal);
  // After admission: what it changes counts for the generation, and is held back like what anybody else writes.
  strategy.prepareForUpdate?.(object, old, strategyContext(env, context, now));
  const hooks = env.hooks.get(served.name);
  const allocation = plan.subresource === '' ? await hooks?.beginUpdate?.(context, object, old) : undefined;
  try {
    validateChanged(served, strategy, object, old, plan.subresource === '' ? hooks : undefined);
    await env.admission.validate(request, signal);
    for (const warning of strategy.warnings?.(object, old) ?? []) context.warn(warning);
    if (options.dryRun) return { type: 'unstored', object, created: false };
    if (deepEqual(object, old)) {
      allocation?.release();
      return { type: 'stored', object: stored, created: false };
    }
    if (isReadyToRemove(object, hooks) && old.metadata.deletionTimestamp !== undefined) {
      // The last finalizer went: the update is the delete.
      const outcome = await storage.delete(stored, hooks?.beginDelete?.(object), context);
      if (outcome.type === 'written') return { type: 'unstored', object, created: false };
    } else {
      const lease = hooks?.expires ? await env.eventLeases.lease() : undefined;
      const outcome = await storage.update(stored, await served.toStorage(object), lease, allocation?.companions, context);
      if (outcome.type === 'written') {
        await served.readable([outcome.object]);
        return { type: 'stored', object: outcome.object, created: false };
      }
    }
  } catch (error) {
    allocation?.release();
    throw error;
  }
  allocation?.release();
  return undefined;
}
