import type { KubeObject, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '@coxswain/api';
import { formatTime, isNotFound, labelSelectorFromObject, parseTime, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isActive, isReady } from '../pods/pod-state.js';
import { withCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { scaledValue } from '../runtime/int-or-percent.js';
import { controllerOf } from '../runtime/owners.js';

/** An eviction that was granted so long ago and did not happen is forgotten. */
const DELETION_TIMEOUT_MS = 2 * 60_000;

/** The budget's numbers. `scaleOf`: replicas the controller of a pod wants (undefined: unknown). Pure. */
export function budgetStatus(
  pdb: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: (pod: Pod) => { readonly uid: string; readonly replicas: number } | undefined,
  now: number,
): PodDisruptionBudgetStatus {
  const spec = pdb.spec;
  let expectedPods = pods.length;
  let desiredHealthy: number;
  const expectedScale = () => {
    const scales = new Map<string, number>();
    for (const p of pods) {
      const s = scaleOf(p);
      if (s) scales.set(s.uid, s.replicas);
      else scales.set(p.metadata.uid ?? '', 1);
    }
    return [...scales.values()].reduce((a, b) => a + b, 0);
  };
  if (spec?.maxUnavailable !== undefined) {
    expectedPods = expectedScale();
    desiredHealthy = Math.max(0, expectedPods - scaledValue(spec.maxUnavailable, expectedPods, 'up'));
  } else if (typeof spec?.minAvailable === 'string') {
    expectedPods = expectedScale();
    desiredHealthy = scaledValue(spec.minAvailable, expectedPods, 'up');
  } else desiredHealthy = spec?.minAvailable ?? 1;
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

/** Keeps the status by which evictions are granted. */
export function disruptionController({ client, informers, clock }: ControllerContext): Controller {
  const budgets = informers.informer(Resources.podDisruptionBudgets);
  const pods = informers.informer(Resources.pods);
  const owners = {
    ReplicaSet: informers.informer(Resources.replicaSets),
    StatefulSet: informers.informer(Resources.statefulSets),
    ReplicationController: informers.informer(Resources.replicationControllers),
  } as const;
  const deployments = informers.informer(Resources.deployments);
  const key = (b: PodDisruptionBudget) => `${b.metadata.namespace}/${b.metadata.name}`;

  function scaleOf(pod: Pod): { uid: string; replicas: number } | undefined {
    const ref = controllerOf(pod);
    if (!ref || !(ref.kind in owners)) return undefined;
    const owner = owners[ref.kind as keyof typeof owners].lister.get(ref.name, pod.metadata.namespace) as
      | (KubeObject & { spec?: { replicas?: number } })
      | undefined;
    if (!owner || owner.metadata.uid !== ref.uid) return undefined;
    const above = controllerOf(owner as Pod);
    const deployment = above?.kind === 'Deployment' ? deployments.lister.get(above.name, pod.metadata.namespace) : undefined;
    return deployment
      ? { uid: deployment.metadata.uid ?? '', replicas: deployment.spec?.replicas ?? 1 }
      : { uid: ref.uid, replicas: owner.spec?.replicas ?? 1 };
  }

  return {
    name: 'disruption',
    watch(queue) {
      const ofPod = (p: Pod) => {
        for (const b of budgets.lister.list({ namespace: p.metadata.namespace }))
          if (labelSelectorFromObject(b.spec?.selector).matches(p.metadata.labels)) queue.add(key(b));
      };
      const undo = [
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
      const { namespace, name } = splitKey(at);
      const pdb = budgets.lister.get(name, namespace);
      if (!pdb) return undefined;
      const selected = pods.lister
        .list({ namespace, selector: labelSelectorFromObject(pdb.spec?.selector) })
        .filter((p) => isActive(p) || p.metadata.deletionTimestamp);
      const status = budgetStatus(
        pdb,
        selected.filter((p) => p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed'),
        scaleOf,
        clock.now(),
      );
      if (!semanticEqual(status, pdb.status)) {
        try {
          await client.api.podDisruptionBudgets(namespace).updateStatus({ ...pdb, status }, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      return status.disruptedPods ? { requeueAfterMs: DELETION_TIMEOUT_MS } : undefined;
    },
  };
}
