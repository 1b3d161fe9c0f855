import type { KubeObject } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import type { StoredObject } from '../../storage/stored-object.js';
import { refuse } from '../admission-env.js';
import type { AdmissionEnv } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';
import { add, isMore, merge, sign, subtract, textOf } from './amounts.js';
import type { Amounts } from './amounts.js';
import { checkCovered } from './limited-resources.js';
import type { LimitedResource } from './limited-resources.js';
import { missingAmounts } from './pod-usage.js';
import { inScopes } from './scopes.js';
import { usageOf } from './usage.js';

/** Kinds whose usage changes with their content, not only with their number. */
const GROWING = new Set(['pods', 'services', 'persistentvolumeclaims']);
const MAX_ATTEMPTS = 10;

/**
 * Takes from the namespace's quotas what a request needs, or refuses it. What was taken for a request that fails afterwards is given
 * back by the controller, which also does the counting of what is there.
 */
export function resourceQuota(env: AdmissionEnv, limited: readonly LimitedResource[] = []): AdmissionPlugin {
  /** One request of a namespace after the other: they all write the same quota. */
  const queues = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    order: AdmissionOrder.resourceQuota,
    handles: ({ operation, subresource, namespace, resource: { group, resource } }) =>
      namespace !== '' &&
      ((operation === 'CREATE' && subresource === '') ||
        (operation === 'UPDATE' && group === '' && GROWING.has(resource) && (subresource === '' || (resource === 'pods' && subresource === 'resize')))),
    validate(request) {
      const { namespace, resource } = request;
      const isLimited = limited.some((each) => (each.apiGroup ?? '') === resource.group && each.resource === resource.resource);
      // Most namespaces have none: they must not wait for anything.
      if (env.registry.storage('', 'resourcequotas').cache.countInNamespace(namespace) === 0 && !isLimited) return;
      const before = queues.get(namespace) ?? Promise.resolve();
      const mine = before.then(() => take(env, request, limited));
      const settled = mine.catch(() => {});
      queues.set(namespace, settled);
      void settled.then(() => {
        if (queues.get(namespace) === settled) queues.delete(namespace);
      });
      return mine;
    },
  };
}

async function take(env: AdmissionEnv, request: AdmissionRequest, limited: readonly LimitedResource[]): Promise<void> {
  const { group, resource } = request.resource;
  const { object, oldObject } = request;
  if (!object) return;
  const after = usageOf(env, group, resource, object);
  const wanted = oldObject ? merge(after, usageOf(env, group, resource, oldObject), subtract) : after;
  const storage = env.registry.storage('', 'resourcequotas');
  const quotas = storage.cache.inNamespace(request.namespace);
  if (limited.length > 0) {
    const kind = group === '' ? resource : '';
    const about = quotas.map((stored) => stored.object).filter((quota) => inScopes(quota, object, kind));
    checkCovered(request, limited, object, wanted, about);
  }
  const concerned = quotas.map((stored) => plan(request, stored, object, wanted)).filter((entry) => entry !== undefined);
  // Nothing is taken from any before all have agreed.
  for (const { stored, delta } of concerned) check(request, stored.object, delta);
  if (request.dryRun) return;
  for (const entry of concerned) {
    let { stored } = entry;
    for (let attempt = 1; ; attempt++) {
      const quota = stored.object;
      check(request, quota, entry.delta);
      const used = merge((quota.status?.used ?? {}) as Amounts, entry.delta, add);
      const next = { ...quota, metadata: { ...quota.metadata }, status: { ...quota.status, used } };
      const outcome = await storage.update(stored, next, undefined);
      if (outcome.type === 'written') break;
      if (attempt >= MAX_ATTEMPTS) refuse(request, `unable to update the usage of quota ${quota.metadata.name ?? ''}, please try again`);
      const fresh = await storage.fresh(stored.namespace, stored.name);
      if (!fresh) break;
      stored = fresh;
    }
  }
}

/** What the request wants of one quota; undefined when nothing. */
function plan(request: AdmissionRequest, stored: StoredObject, object: KubeObject, wanted: Amounts): { stored: StoredObject; delta: Amounts } | undefined {
  const quota = stored.object;
  const { resource } = request.resource;
  if (!inScopes(quota, object, request.resource.group === '' ? resource : '')) return undefined;
  const limited = Object.keys((quota.status?.hard ?? {}) as Amounts);
  if (resource === 'pods' && request.resource.group === '' && request.operation === 'CREATE') {
    const missing = missingAmounts(object, limited);
    if (missing) refuse(request, `failed quota: ${quota.metadata.name ?? ''}: ${missing}`);
  }
  const delta = Object.fromEntries(limited.flatMap((name) => (wanted[name] !== undefined && sign(wanted[name]) !== 0 ? [[name, wanted[name]]] : [])));
  return Object.keys(delta).length === 0 ? undefined : { stored, delta };
}

function check(request: AdmissionRequest, quota: KubeObject, delta: Amounts): void {
  const name = quota.metadata.name ?? '';
  const { hard = {}, used = {} } = (quota.status ?? {}) as { hard?: Amounts; used?: Amounts };
  const uncounted = Object.keys(delta).filter((resource) => used[resource] === undefined);
  if (uncounted.length > 0) refuse(request, `status unknown for quota: ${name}, resources: ${uncounted.sort().join(',')}`);
  const exceeded = Object.keys(delta).filter((resource) => {
    const limit = hard[resource];
    return limit !== undefined && sign(delta[resource] as string) > 0 && isMore(add(used[resource], delta[resource]), limit);
  });
  if (exceeded.length === 0) return;
  refuse(request, `exceeded quota: ${name}, requested: ${textOf(delta, exceeded)}, used: ${textOf(used, exceeded)}, limited: ${textOf(hard, exceeded)}`);
}
