import type { KubeObject, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '@coxswain/api';
import { formatTime, isNotFound, labelSelectorFromObject, parseTime, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isReady } from '../pods/pod-state.js';
import { withCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { scaledValue } from '../runtime/int-or-percent.js';
import { podScales } from './pod-scales.js';
import { staleDisruptions } from './stale-disruptions.js';

/** An eviction that was granted so long ago and did not happen is forgotten. */
const DELETION_TIMEOUT_MS = 2 * 60_000;
/** A controller that was not found may be on its way to us. */
const FAILED_RETRY_MS = 5000;

/** Whether the budget is a share of what the pods' controllers want, and not a plain number of pods. */
const isShare = ({ spec }: PodDisruptionBudget): boolean => spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';

/** The budget's numbers. `scale`: what the pods' controllers want in all; not asked for by a budget that says a plain number of pods. Pure. */
export function budgetStatus(pdb: PodDisruptionBudget, pods: readonly Pod[], scale: number, now: number): PodDisruptionBudgetStatus {
  const spec = pdb.spec;
  let expectedPods = 0;
  let desiredHealthy = 0;
  if (spec?.maxUnavailable !== undefined) {
    expectedPods = scale;
    desiredHealthy = Math.max(0, scale - scaledValue(spec.maxUnavailable, scale, 'up'));
  } else if (typeof spec?.minAvailable === 'string') {
    expectedPods = scale;
    desiredHealthy = scaledValue(spec.minAvailable, scale, 'up');
  } else if (spec?.minAvailable !== undefined) {
    expectedPods = pods.length;
    desiredHealthy = spec.minAvailable;
  }
  const disruptedPods: Record<string, string> = {};
  for (const p of pods) {
    const at = pdb.status?.disruptedPods?.[p.metadata.name ?? ''];
    if (at && !p.metadata.deletionTimestamp && (parseTime(at) ?? 0) + DELETION_TIMEOUT_MS > now) disruptedPods[p.metadata.name ?? ''] = at;
  }
  const currentHealthy = pods.filter(
    (p) => isReady(p) && !p.metadata.deletionTimestamp && !(p.metadata.name !== undefined && p.metadata.name in disruptedPods),
  ).length;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const allowed = disruptionsAllowed > 0;
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed ? 'True' : 'False',
    reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: pdb.metadata.generation ?? 0,
    lastTransitionTime: formatTime(now),
  };
  return {
    observedGeneration: pdb.metadata.generation ?? 0,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withCondition(pdb.status?.conditions, condition, formatTime(now)),
  };
}

/** No eviction is granted on numbers that could not be had: the status says why. */
function failedStatus(pdb: PodDisruptionBudget, message: string, now: number): PodDisruptionBudgetStatus {
  const { observedGeneration = 0, currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, ...rest } = pdb.status ?? {};
  const time = formatTime(now);
  const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message, observedGeneration, lastTransitionTime: time };
  return {
    ...rest,
    observedGeneration,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed: 0,
    conditions: withCondition(pdb.status?.conditions, condition, time),
  };
}

/** Keeps the status by which evictions are granted, and takes back what evictions that did not happen left on pods. */
export function disruptionController(context: ControllerContext): Controller {
  const { client, informers, clock, events } = context;
  const budgets = informers.informer(Resources.podDisruptionBudgets);
  const pods = informers.informer(Resources.pods);
  const scales = podScales(context);
  const stale = staleDisruptions(context);
  const key = (b: PodDisruptionBudget) => `${b.metadata.namespace}/${b.metadata.name}`;

  async function statusOf(pdb: PodDisruptionBudget, selected: readonly Pod[], signal: AbortSignal): Promise<PodDisruptionBudgetStatus> {
    if (!isShare(pdb)) return budgetStatus(pdb, selected, 0, clock.now());
    const { replicas, unmanaged } = await scales.ofPods(selected, signal);
    if (unmanaged.length > 0) {
      events(
        pdb as KubeObject,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${labelSelectorFromObject(pdb.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      );
    }
    return budgetStatus(pdb, selected, replicas, clock.now());
  }

  return {
    name: 'disruption',
    watch(queue) {
      const ofPod = (p: Pod) => {
        for (const b of budgets.lister.list({ namespace: p.metadata.namespace }))
          if (labelSelectorFromObject(b.spec?.selector).matches(p.metadata.labels)) queue.add(key(b));
      };
      const undo = [
        stale.watch(queue),
        budgets.addHandler({ add: (b) => queue.add(key(b)), update: (_o, b) => queue.add(key(b)) }),
        pods.addHandler({
          add: ofPod,
          update: (old, p) => [p, ...(semanticEqual(old.metadata.labels, p.metadata.labels) ? [] : [old])].forEach(ofPod),
          delete: ofPod,
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      if (stale.owns(at)) return stale.reconcile(at, signal);
      const { namespace, name } = splitKey(at);
      const pdb = budgets.lister.get(name, namespace);
      if (!pdb) return undefined;
      const selected = pods.lister.list({ namespace, selector: labelSelectorFromObject(pdb.spec?.selector) });
      if (selected.length === 0) events(pdb as KubeObject, 'Normal', 'NoPods', 'No matching pods found');
      let status: PodDisruptionBudgetStatus;
      let failed = false;
      try {
        status = await statusOf(pdb, selected, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        failed = true;
        const { message } = error as Error;
        events(pdb as KubeObject, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${message}`);
        status = failedStatus(pdb, message, clock.now());
      }
      if (!semanticEqual(status, pdb.status)) {
        try {
          await client.api.podDisruptionBudgets(namespace).updateStatus({ ...pdb, status }, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      if (failed) return { requeueAfterMs: FAILED_RETRY_MS };
      return status.disruptedPods ? { requeueAfterMs: DELETION_TIMEOUT_MS } : undefined;
    },
  };
}
