import type { KubeObject, PersistentVolumeClaim, Pod, StatefulSet, StatefulSetStatus } from '@coxswain/api';
import { isAlreadyExists, isNotFound, labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isAvailable, isReady, untilAvailable } from '../pods/pod-state.js';
import { podsByOwner } from '../pods/pods-by-owner.js';
import { watchOwnedPods } from '../pods/watch-owned-pods.js';
import { syncRevisions, truncateHistory } from '../revisions/controller-revisions.js';
import { claimObjects } from '../runtime/claim.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { ownerKey } from '../runtime/owners.js';
import { claimOwners } from './claim-owners.js';
import { planStatefulSet } from './statefulset-plan.js';
import { claimsFor, identityOf, inRange, ordinalOf, podNameOf, revisionOfPod, STATEFUL_SET, statefulPod } from './statefulset-pods.js';

/** Pods with names, storage and an order of their own. */
export function statefulSetController({ client, informers, clock, events }: ControllerContext): Controller {
  const sets = informers.informer(Resources.statefulSets);
  const pods = informers.informer(Resources.pods);
  const owned = podsByOwner(pods);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const revisions = informers.informer(Resources.controllerRevisions);
  const key = (s: { metadata: { namespace?: string; name?: string } }) => `${s.metadata.namespace}/${s.metadata.name}`;

  async function ensureClaims(set: StatefulSet, ordinal: number, signal: AbortSignal): Promise<void> {
    for (const claim of claimsFor(set, ordinal)) {
      const there = claims.lister.get(claim.metadata.name ?? '', set.metadata.namespace);
      // A pod on a claim that goes would hold it for ever.
      if (there?.metadata.deletionTimestamp) throw new Error(`pvc ${there.metadata.name} is being deleted`);
      if (there) continue;
      try {
        await client.api.persistentVolumeClaims(set.metadata.namespace).create(claim, { signal });
        events(
          set as KubeObject,
          'Normal',
          'SuccessfulCreate',
          `create Claim ${claim.metadata.name ?? ''} Pod ${podNameOf(set, ordinal)} in StatefulSet ${set.metadata.name ?? ''} success`,
        );
      } catch (error) {
        if (isAlreadyExists(error)) continue;
        events(
          set as KubeObject,
          'Warning',
          'FailedCreate',
          `create Claim ${claim.metadata.name ?? ''} for Pod ${podNameOf(set, ordinal)} in StatefulSet ${set.metadata.name ?? ''} failed error: ${(error as Error).message}`,
        );
        throw error;
      }
    }
  }

  async function retainClaims(set: StatefulSet, all: readonly Pod[], signal: AbortSignal): Promise<void> {
    for (const pod of all) {
      const n = ordinalOf(set, pod);
      if (n === undefined) continue;
      for (const wanted of claimsFor(set, n)) {
        const claim: PersistentVolumeClaim | undefined = claims.lister.get(wanted.metadata.name ?? '', set.metadata.namespace);
        if (!claim) continue;
        const ownerReferences = claimOwners(set, pod, claim);
        if (semanticEqual(ownerReferences, claim.metadata.ownerReferences ?? [])) continue;
        await client.api.persistentVolumeClaims(set.metadata.namespace).update({ ...claim, metadata: { ...claim.metadata, ownerReferences } }, { signal });
      }
    }
  }

  /** A pod keeps the labels it is known by, and one that waits for its storage gets the claims that it has lost. */
  async function repair(set: StatefulSet, all: readonly Pod[], signal: AbortSignal): Promise<void> {
    for (const pod of all) {
      const n = ordinalOf(set, pod);
      if (n === undefined || pod.metadata.deletionTimestamp || !inRange(set, n)) continue;
      const labels = identityOf(set, n);
      if (Object.entries(labels).some(([k, v]) => pod.metadata.labels?.[k] !== v))
        await client.api.pods(set.metadata.namespace).patch(pod.metadata.name ?? '', 'merge', { metadata: { uid: pod.metadata.uid, labels } }, { signal });
      if (pod.status?.phase === 'Pending') await ensureClaims(set, n, signal);
    }
  }

  return {
    name: 'statefulset',
    watch(queue) {
      const undo = [
        sets.addHandler({ add: (s) => queue.add(key(s)), update: (_o, s) => queue.add(key(s)), delete: (s) => queue.add(key(s)) }),
        watchOwnedPods(pods, {
          ownerOf: (p) => ownerKey(p as KubeObject, STATEFUL_SET),
          orphanKeys: (p) =>
            sets.lister
              .list({ namespace: p.metadata.namespace })
              .filter((s) => labelSelectorFromObject(s.spec?.selector).matches(p.metadata.labels))
              .map(key),
          queue,
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const set = sets.lister.get(name, namespace);
      if (!set || set.metadata.deletionTimestamp) return undefined;
      const selector = labelSelectorFromObject(set.spec?.selector);
      if (selector.isEmpty) return undefined;
      const freshOwner = () => client.api.statefulSets(namespace).get(name, { signal }) as Promise<KubeObject>;
      const all = await claimObjects<Pod>({
        owner: set as KubeObject,
        ownerKind: STATEFUL_SET,
        selector,
        freshOwner,
        signal,
        // Only its own names may be adopted.
        objects: owned.claimable(set).filter((p) => ordinalOf(set, p) !== undefined),
        client: client.api.pods(namespace),
      });
      const history = await syncRevisions({
        client,
        owner: set,
        ownerKind: STATEFUL_SET,
        candidates: revisions.lister.list({ namespace }),
        freshOwner,
        signal,
      });
      const update = history.at(-1);
      if (!update) return undefined;
      const current = history.find((r) => r.metadata.name === set.status?.currentRevision) ?? update;
      const currentRevision = current.metadata.name ?? '';
      const updateRevision = update.metadata.name ?? '';
      await retainClaims(set, all, signal);
      const now = clock.now();
      let failure: unknown;
      try {
        await repair(set, all, signal);
      } catch (error) {
        if (!isNotFound(error)) failure = error;
      }
      for (const step of planStatefulSet({ set, pods: all, updateRevision, now })) {
        try {
          if (step.type === 'create') {
            await ensureClaims(set, step.ordinal, signal);
            const pod = statefulPod(set, step.revision === 'current' ? current : update, step.ordinal);
            await client.api.pods(namespace).create(pod, { signal });
            events(set as KubeObject, 'Normal', 'SuccessfulCreate', `create Pod ${pod.metadata.name ?? ''} in StatefulSet ${name} successful`);
          } else {
            if (step.why === 'failed')
              events(set as KubeObject, 'Warning', 'RecreatingFailedPod', `StatefulSet ${at} is recreating failed Pod ${step.pod.metadata.name ?? ''}`);
            await client.api
              .pods(namespace)
              .delete(step.pod.metadata.name ?? '', { signal, ...(step.pod.metadata.uid && { preconditions: { uid: step.pod.metadata.uid } }) });
            events(set as KubeObject, 'Normal', 'SuccessfulDelete', `delete Pod ${step.pod.metadata.name ?? ''} in StatefulSet ${name} successful`);
          }
        } catch (error) {
          // The cache is behind: what is there or gone will be seen.
          if ((step.type === 'create' && isAlreadyExists(error)) || (step.type === 'delete' && isNotFound(error))) continue;
          const what = step.type === 'create' ? podNameOf(set, step.ordinal) : (step.pod.metadata.name ?? '');
          events(
            set as KubeObject,
            'Warning',
            step.type === 'create' ? 'FailedCreate' : 'FailedDelete',
            `${step.type} Pod ${what} in StatefulSet ${name} failed error: ${(error as Error).message}`,
          );
          failure ??= error;
          break;
        }
      }
      const minReady = set.spec?.minReadySeconds ?? 0;
      const alive = all.filter((p) => !p.metadata.deletionTimestamp);
      const onRevision = (r: string) => alive.filter((p) => revisionOfPod(p) === r).length;
      const replicas = set.spec?.replicas ?? 1;
      // Also of those that are on their way out: they work until they are gone.
      const running = all.filter((p) => p.status?.phase === 'Running' && isReady(p));
      const readyReplicas = running.length;
      const updatedReplicas = onRevision(updateRevision);
      const rolledOut = set.spec?.updateStrategy?.type !== 'OnDelete' && updatedReplicas === replicas && readyReplicas === replicas && all.length === replicas;
      const status: StatefulSetStatus = {
        observedGeneration: set.metadata.generation ?? 0,
        replicas: all.length,
        readyReplicas,
        availableReplicas: running.filter((p) => isAvailable(p, minReady, now)).length,
        currentReplicas: rolledOut ? updatedReplicas : onRevision(currentRevision),
        updatedReplicas,
        currentRevision: rolledOut ? updateRevision : currentRevision,
        updateRevision,
        collisionCount: set.status?.collisionCount ?? 0,
        ...(set.status?.conditions && { conditions: set.status.conditions }),
      };
      if (!semanticEqual(status, set.status)) await client.api.statefulSets(namespace).updateStatus({ ...set, status }, { signal });
      await truncateHistory(client, set, history, new Set([currentRevision, updateRevision, ...all.map(revisionOfPod)]), signal);
      if (failure !== undefined) throw failure;
      const wait = untilAvailable(alive, minReady, now);
      return wait === undefined ? undefined : { requeueAfterMs: wait };
    },
  };
}
