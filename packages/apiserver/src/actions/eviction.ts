import type { KubeObject } from '@coxswain/api';
import { ApiError, labelSelectorFromObject, successStatus } from '@coxswain/apimachinery';
import { respondKind } from '../rest/respond.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import { admissionRequest } from '../rest/admission-request.js';
import { remove } from '../rest/delete.js';
import { checkDeleteOptions } from '../rest/delete-options.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { ActionEnv } from './action-env.js';
import { readActionBody } from './read-action-body.js';

const MAX_DISRUPTED = 2000;
const MAX_ATTEMPTS = 8;
const KIND = { group: 'policy', version: 'v1', kind: 'Eviction' } as const;

/** POST pods/{name}/eviction: a delete that a PodDisruptionBudget may refuse with 429. */
export function evictionAction(env: ActionEnv): ActionHandler {
  return async (context, served) => {
    const eviction = await readActionBody(context, 'Eviction', ['policy/v1', 'policy/v1beta1']);
    const { namespace, name } = context.resource;
    if (eviction.metadata.name && eviction.metadata.name !== name) throw ApiError.badRequest('name in URL does not match name in Eviction object');
    const options = checkDeleteOptions({ dryRun: context.query.getAll('dryRun'), ...(eviction.deleteOptions as object | undefined) });
    const pods = served.storage as ResourceStorage;
    const request = admissionRequest(context, served, {
      operation: 'CREATE',
      subresource: 'eviction',
      namespace,
      name,
      dryRun: options.dryRun,
      object: eviction,
      kind: KIND,
    });
    await env.rest.admission.admit(request, () => context.request.signal);
    await env.rest.admission.validate(request, () => context.request.signal);
    const pod = pods.cache.get(namespace, name);
    if (!pod) throw ApiError.notFound(served.groupResource, name);
    if (needsBudget(pod.object)) await takeFromBudget(env, pod, options.dryRun);
    if (!options.dryRun) await markDisrupted(env, pods, namespace, name);
    await remove(env.rest, context, served, namespace, name, options);
    return respondKind(context, 201, successStatus());
  };
}

/** Pods that do not run, or are going away already, are nobody's disruption. */
function needsBudget(pod: KubeObject): boolean {
  const phase = pod.status?.phase as string | undefined;
  return pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending';
}

/** The pod says why it goes: Jobs' pod failure policies ask for it. */
async function markDisrupted(env: ActionEnv, pods: ResourceStorage, namespace: string, name: string): Promise<void> {
  let pod = pods.cache.get(namespace, name);
  for (let attempt = 0; pod && attempt < MAX_ATTEMPTS; attempt++) {
    const { object } = pod;
    const old = (object.status?.conditions ?? []) as { type: string; status: string }[];
    if (object.metadata.deletionTimestamp !== undefined || old.some((one) => one.type === 'DisruptionTarget' && one.status === 'True')) return;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      observedGeneration: object.metadata.generation ?? 1,
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastProbeTime: null,
      lastTransitionTime: timestamp(env),
    };
    const conditions = [...old.filter((one) => one.type !== condition.type), condition];
    const outcome = await pods.update(pod, { ...object, metadata: { ...object.metadata }, status: { ...object.status, conditions } }, undefined);
    if (outcome.type === 'written') return;
    pod = await pods.fresh(namespace, name);
  }
}

const timestamp = (env: ActionEnv): string => new Date(env.rest.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');

async function takeFromBudget(env: ActionEnv, pod: StoredObject, dryRun: boolean): Promise<void> {
  const budgets = env.rest.registry.storage('policy', 'poddisruptionbudgets');
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const matching = budgets.cache
      .inNamespace(pod.namespace)
      .filter((budget) => labelSelectorFromObject(budget.object.spec?.selector).matches(pod.object.metadata.labels));
    if (matching.length === 0) return;
    if (matching.length > 1)
      throw ApiError.internalError(new Error('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'));
    const stored = matching[0] as StoredObject;
    const budget = stored.object;
    if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' && !isReady(pod.object)) return;
    if (!isReady(pod.object) && (budget.status?.currentHealthy ?? 0) >= (budget.status?.desiredHealthy ?? 0) && (budget.status?.desiredHealthy ?? 0) > 0)
      return;
    const {
      observedGeneration = 0,
      disruptionsAllowed = 0,
      disruptedPods = {},
      desiredHealthy = 0,
      currentHealthy = 0,
      conditions = [],
    } = (budget.status ?? {}) as {
      observedGeneration?: number;
      disruptionsAllowed?: number;
      disruptedPods?: Record<string, string>;
      desiredHealthy?: number;
      currentHealthy?: number;
      conditions?: readonly BudgetCondition[];
    };
    const named = { group: 'policy', resource: 'poddisruptionbudget' };
    if (observedGeneration < (budget.metadata.generation ?? 0))
      throw refused(`The disruption budget ${stored.name} is still being processed by the server.`, 10);
    if (disruptionsAllowed < 0) throw ApiError.forbidden(named, stored.name, 'pdb disruptions allowed is negative');
    if (Object.keys(disruptedPods).length > MAX_DISRUPTED) {
      throw ApiError.forbidden(named, stored.name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
    }
    const allowing = conditions.find(({ type }) => type === 'DisruptionAllowed');
    if (disruptionsAllowed === 0) {
      throw refused(
        allowing?.reason === 'SyncFailed'
          ? `The disruption budget ${stored.name} does not allow evicting pods currently because it failed sync: ${allowing.message ?? ''}`
          : `The disruption budget ${stored.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      );
    }
    if (dryRun) return;
    const status = {
      ...budget.status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod.name]: timestamp(env) },
      ...(disruptionsAllowed === 1 && { conditions: usedUp(conditions, budget, timestamp(env)) }),
    };
    const outcome = await budgets.update(stored, { ...budget, metadata: { ...budget.metadata }, status }, undefined);
    if (outcome.type === 'written') return;
    await budgets.fresh(stored.namespace, stored.name);
  }
  throw refused(`The disruption budget of pod ${pod.name} changes too quickly.`, 1);
}

function isReady(pod: KubeObject): boolean {
  return ((pod.status?.conditions ?? []) as { type: string; status: string }[]).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

interface BudgetCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The last eviction that was allowed has been granted. */
function usedUp(conditions: readonly BudgetCondition[], budget: KubeObject, now: string): BudgetCondition[] {
  const before = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const lastTransitionTime = before?.status === 'False' && before.lastTransitionTime ? before.lastTransitionTime : now;
  const { generation: observedGeneration = 0 } = budget.metadata;
  const allowed = { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration, lastTransitionTime };
  return [...conditions.filter(({ type }) => type !== allowed.type), allowed];
}

function refused(cause: string, retryAfterSeconds = 0): ApiError {
  return ApiError.of(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}
