import type { KubeObject, Pod, ReplicaSet } from '@coxswain/api';
import { hasStatusCause, isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Expectations, Resources, splitKey } from '@coxswain/client';
import { podFromTemplate } from '../pods/pod-from-template.js';
import { isActive, isTerminating, untilAvailable } from '../pods/pod-state.js';
import { podsByOwner } from '../pods/pods-by-owner.js';
import { claimObjects } from '../runtime/claim.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { controllerOf, isControlledBy, ownerKey } from '../runtime/owners.js';
import { slowStart } from '../runtime/slow-start.js';
import { watchOwnedPods } from '../pods/watch-owned-pods.js';
import { byDeletionOrder } from './deletion-order.js';
import type { ReplicaKind } from './replica-kinds.js';
import { replicaStatus, type ManageFailure } from './replica-status.js';

/** At most so many pods are created or deleted in one go. */
const BURST = 500;

/** As many pods of the template as `spec.replicas` says: the rule of ReplicaSets and ReplicationControllers. */
export function replicaController(ctx: ControllerContext, kind: ReplicaKind<ReplicaSet>): Controller {
  const { client, informers, clock, events } = ctx;
  const sets = informers.informer(kind.ref);
  const pods = informers.informer(Resources.pods);
  const owned = podsByOwner(pods);
  const expectations = new Expectations(clock);

  async function manage(
    key: string,
    rs: ReplicaSet,
    active: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ failure: ManageFailure; error: unknown } | undefined> {
    const wanted = rs.spec?.replicas ?? 1;
    if (active.length < wanted) {
      const count = Math.min(wanted - active.length, BURST);
      expectations.expectCreations(key, count);
      const { succeeded, error } = await slowStart(count, async () => {
        const pod = await client.api.pods(rs.metadata.namespace).create(podFromTemplate(kind.template(rs), rs as KubeObject, kind), { signal });
        events(rs as KubeObject, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name ?? ''}`);
      });
      for (let i = succeeded; i < count; i++) expectations.creationObserved(key);
      if (error === undefined || hasStatusCause(error, 'NamespaceTerminating')) return undefined;
      const message = `Error creating: ${(error as Error).message}`;
      events(rs as KubeObject, 'Warning', 'FailedCreate', message);
      return { failure: { reason: 'FailedCreate', message: (error as Error).message }, error };
    }
    if (active.length === wanted) return undefined;
    const victims = chooseVictims(rs, active, Math.min(active.length - wanted, BURST));
    expectations.expectDeletions(
      key,
      victims.map((p) => p.metadata.uid ?? ''),
    );
    const results = await Promise.allSettled(
      victims.map(async (pod) => {
        try {
          await client.api.pods(pod.metadata.namespace).delete(pod.metadata.name ?? '', { signal });
          events(rs as KubeObject, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name ?? ''}`);
        } catch (error) {
          expectations.deletionObserved(key, pod.metadata.uid ?? '');
          if (isNotFound(error)) return;
          events(rs as KubeObject, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
          throw error;
        }
      }),
    );
    const failed = results.find((r) => r.status === 'rejected');
    return failed && { failure: { reason: 'FailedDelete', message: (failed.reason as Error).message }, error: failed.reason };
  }

  /** Pods crowded by siblings (of all ReplicaSets of the same Deployment) on their node go first. */
  function chooseVictims(rs: ReplicaSet, active: readonly Pod[], count: number): Pod[] {
    if (count === active.length) return [...active];
    const owner = controllerOf(rs);
    const family = owner ? sets.lister.list({ namespace: rs.metadata.namespace }).filter((s) => controllerOf(s)?.uid === owner.uid) : [rs];
    const onNode = new Map<string, number>();
    for (const p of family.flatMap((s) => owned.controlledBy(s))) {
      const node = p.spec?.nodeName;
      if (node && isActive(p)) onNode.set(node, (onNode.get(node) ?? 0) + 1);
    }
    return [...active].sort(byDeletionOrder((p) => onNode.get(p.spec?.nodeName ?? '') ?? 0, clock.now())).slice(0, count);
  }

  return {
    name: kind.name,
    watch(queue) {
      const undo = [
        sets.addHandler({
          add: (rs) => queue.add(`${rs.metadata.namespace}/${rs.metadata.name}`),
          update: (_old, rs) => queue.add(`${rs.metadata.namespace}/${rs.metadata.name}`),
          delete: (rs) => {
            expectations.forget(`${rs.metadata.namespace}/${rs.metadata.name}`);
            queue.add(`${rs.metadata.namespace}/${rs.metadata.name}`);
          },
        }),
        watchOwnedPods(pods, {
          ownerOf: (pod) => ownerKey(pod as KubeObject, kind),
          orphanKeys: (pod) =>
            sets.lister
              .list({ namespace: pod.metadata.namespace })
              .filter((rs) => kind.selector(rs).matches(pod.metadata.labels))
              .map((rs) => `${rs.metadata.namespace}/${rs.metadata.name}`),
          queue,
          created: (key) => expectations.creationObserved(key),
          deleted: (key, uid) => expectations.deletionObserved(key, uid),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      const rs = sets.lister.get(name, namespace);
      if (!rs) {
        expectations.forget(key);
        return undefined;
      }
      const upToDate = expectations.satisfied(key);
      const all = owned.claimable(rs);
      const active = await claimObjects<Pod>({
        owner: rs as KubeObject,
        ownerKind: kind,
        selector: kind.selector(rs),
        objects: all.filter(isActive),
        client: client.api.pods(namespace),
        freshOwner: () => client.resource(kind.ref, namespace).get(name, { signal }) as Promise<KubeObject>,
        signal,
      });
      const failed = upToDate && !rs.metadata.deletionTimestamp ? await manage(key, rs, active, signal) : undefined;
      const terminating = kind.countsTerminating ? all.filter((p) => isTerminating(p) && isControlledBy(p, rs)).length : undefined;
      const status = replicaStatus(rs, active, terminating, failed?.failure, clock.now());
      if (!semanticEqual(status, rs.status)) {
        try {
          await client.resource(kind.ref, namespace).updateStatus({ ...rs, status }, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      if (failed) throw failed.error;
      const wait = untilAvailable(active, rs.spec?.minReadySeconds ?? 0, clock.now());
      return wait === undefined ? undefined : { requeueAfterMs: wait };
    },
  };
}
