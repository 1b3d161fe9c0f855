import type { Deployment, DeploymentStatus, KubeObject, ReplicaSet } from '@coxswain/api';
import { isAlreadyExists, isNotFound, labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isFinished } from '../pods/pod-state.js';
import { podsByOwner } from '../pods/pods-by-owner.js';
import { claimObjects } from '../runtime/claim.js';
import { findCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext, Outcome } from '../runtime/controller-context.js';
import { controllerOf, isControlledBy, ownerKey } from '../runtime/owners.js';
import { REVISION, replicaSetAnnotations, revisionOf } from './annotations.js';
import { countStatus, hasDeadline, isComplete, progressStatus, setDeploymentCondition, untilDeadline } from './deployment-status.js';
import { rolloutLimits } from './limits.js';
import { DEPLOYMENT, findNewReplicaSet, makeReplicaSet, nextRevision, surplusHistory } from './replica-sets.js';
import { isScalingEvent, rollingStep, scaleProportionally, specReplicas, type ScaleStep } from './rollout.js';

/** A Deployment runs its template through ReplicaSets: one per template it has had, of which the newest gets the pods. */
export function deploymentController({ client, informers, clock, events }: ControllerContext): Controller {
  const deployments = informers.informer(Resources.deployments);
  const sets = informers.informer(Resources.replicaSets);
  const pods = informers.informer(Resources.pods);
  const owned = podsByOwner(pods);

  /** Writes the new number and, in any case, up-to-date annotations. */
  async function scale(d: Deployment, { replicaSet: rs, replicas }: ScaleStep, signal: AbortSignal): Promise<ReplicaSet> {
    const wanted = d.spec?.replicas ?? 1;
    const annotations = replicaSetAnnotations(d, rs, 0n, wanted, wanted + rolloutLimits(d).maxSurge);
    const from = specReplicas(rs);
    if (from === replicas && semanticEqual(annotations, rs.metadata.annotations)) return rs;
    const written = await client.api
      .replicaSets(rs.metadata.namespace)
      .update({ ...rs, metadata: { ...rs.metadata, annotations }, spec: { ...rs.spec, replicas } as ReplicaSet['spec'] } as ReplicaSet, { signal });
    if (from !== replicas)
      events(
        d as KubeObject,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${replicas > from ? 'up' : 'down'} replica set ${rs.metadata.name ?? ''} from ${from} to ${replicas}`,
      );
    return written;
  }

  const setStatus = (d: Deployment, status: DeploymentStatus, signal: AbortSignal): Promise<Deployment> =>
    client.api.deployments(d.metadata.namespace).updateStatus({ ...d, status }, { signal });

  /** The ReplicaSet of the present template with its annotations in order; made when `create`. */
  async function ensureNew(
    d0: Deployment,
    all: readonly ReplicaSet[],
    create: boolean,
    signal: AbortSignal,
  ): Promise<{ d: Deployment; newSet: ReplicaSet | undefined }> {
    let d = d0;
    const found = findNewReplicaSet(d, all);
    const old = all.filter((rs) => rs !== found);
    const revision = nextRevision(old);
    const wanted = d.spec?.replicas ?? 1;
    let newSet = found;
    const progressed = (reason: string, message: string) => {
      if (!hasDeadline(d)) return d.status ?? {};
      return { ...d.status, conditions: setDeploymentCondition(d.status?.conditions, 'Progressing', 'True', reason, message, clock.now()) };
    };
    let status: DeploymentStatus = d.status ?? {};
    if (found) {
      const annotations = replicaSetAnnotations(d, found, revision, wanted, wanted + rolloutLimits(d).maxSurge);
      const minReadySeconds = d.spec?.minReadySeconds ?? 0;
      // The desired-replicas annotation is how a later scaling is noticed: it is written only together with the scaling.
      for (const key of ['deployment.kubernetes.io/desired-replicas', 'deployment.kubernetes.io/max-replicas']) {
        const before = found.metadata.annotations?.[key];
        if (before !== undefined) annotations[key] = before;
      }
      if (!semanticEqual(annotations, found.metadata.annotations) || (found.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
        newSet = await client.api
          .replicaSets(d.metadata.namespace)
          .update({ ...found, metadata: { ...found.metadata, annotations }, spec: { ...found.spec, minReadySeconds } as ReplicaSet['spec'] } as ReplicaSet, {
            signal,
          });
      }
      if (!findCondition(d.status?.conditions, 'Progressing'))
        status = progressed('FoundNewReplicaSet', `Found new replica set "${found.metadata.name ?? ''}"`);
    } else if (create) {
      const wish = makeReplicaSet(d, old);
      try {
        newSet = await client.api.replicaSets(d.metadata.namespace).create(wish, { signal });
        if (specReplicas(newSet) > 0)
          events(d as KubeObject, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${newSet.metadata.name ?? ''} from 0 to ${specReplicas(newSet)}`);
        status = progressed('NewReplicaSetCreated', `Created new replica set "${newSet.metadata.name ?? ''}"`);
      } catch (error) {
        if (!isAlreadyExists(error)) {
          const conditions = setDeploymentCondition(
            d.status?.conditions,
            'Progressing',
            'False',
            'ReplicaSetCreateError',
            `Failed to create new replica set "${wish.metadata.name ?? ''}": ${(error as Error).message}`,
            clock.now(),
          );
          if (hasDeadline(d)) await setStatus(d, { ...d.status, conditions }, signal);
          throw error;
        }
        const there = await client.api.replicaSets(d.metadata.namespace).get(wish.metadata.name ?? '', { signal });
        if (isControlledBy(there, d) && findNewReplicaSet(d, [there])) newSet = there;
        else {
          // Two templates of one hash: count the collision, so that the next name differs.
          await setStatus(d, { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 }, signal);
          throw error;
        }
      }
    }
    const setRevision = newSet ? String(revisionOf(newSet)) : undefined;
    const revised = setRevision !== undefined && d.metadata.annotations?.[REVISION] !== setRevision;
    // Written with the status: a change of annotations by anybody else is a new generation.
    if (revised) d = { ...d, metadata: { ...d.metadata, annotations: { ...d.metadata.annotations, [REVISION]: setRevision } } };
    if (revised || (status !== d0.status && !semanticEqual(status, d.status))) d = await setStatus(d, status, signal);
    return { d, newSet };
  }

  async function finish(d: Deployment, newSet: ReplicaSet | undefined, all: readonly ReplicaSet[], signal: AbortSignal): Promise<Outcome> {
    const now = clock.now();
    const status = progressStatus(d, newSet, all, now);
    if (isComplete(d, status)) {
      for (const rs of surplusHistory(
        d,
        all.filter((x) => x.metadata.uid !== newSet?.metadata.uid),
      ))
        await deleteSet(rs, signal);
    }
    if (!semanticEqual(status, d.status)) {
      await setStatus(d, status, signal);
      const timedOut = findCondition(status.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded';
      if (timedOut && findCondition(d.status?.conditions, 'Progressing')?.reason !== 'ProgressDeadlineExceeded') {
        events(d as KubeObject, 'Warning', 'ProgressDeadlineExceeded', findCondition(status.conditions, 'Progressing')?.message ?? '');
      }
    }
    const wait = d.spec?.paused ? undefined : untilDeadline(d, status.conditions, now);
    return wait !== undefined && wait > 0 ? { requeueAfterMs: wait + 1000 } : undefined;
  }

  async function deleteSet(rs: ReplicaSet, signal: AbortSignal): Promise<void> {
    try {
      await client.api.replicaSets(rs.metadata.namespace).delete(rs.metadata.name ?? '', { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async function pausedCondition(d: Deployment, signal: AbortSignal): Promise<Deployment> {
    if (!hasDeadline(d)) return d;
    const c = findCondition(d.status?.conditions, 'Progressing');
    if (c?.reason === 'ProgressDeadlineExceeded') return d;
    const wasPaused = c?.reason === 'DeploymentPaused';
    if (Boolean(d.spec?.paused) === wasPaused) return d;
    const [reason, message] = d.spec?.paused ? ['DeploymentPaused', 'Deployment is paused'] : ['DeploymentResumed', 'Deployment is resumed'];
    // Unknown, so that neither complete nor failed is claimed meanwhile.
    const conditions = setDeploymentCondition(d.status?.conditions, 'Progressing', 'Unknown' as 'True', reason as string, message as string, clock.now());
    return setStatus(d, { ...d.status, conditions }, signal);
  }

  const oldPodsRun = (old: readonly ReplicaSet[]): boolean => old.some((rs) => owned.controlledBy(rs).some((pod) => !isFinished(pod)));

  return {
    name: 'deployment',
    watch(queue) {
      const enqueue = (o: { metadata: { namespace?: string; name?: string } }) => queue.add(`${o.metadata.namespace}/${o.metadata.name}`);
      const forSet = (rs: ReplicaSet) => {
        const key = ownerKey(rs as KubeObject, DEPLOYMENT);
        if (key) return queue.add(key);
        if (controllerOf(rs)) return;
        for (const d of deployments.lister.list({ namespace: rs.metadata.namespace }))
          if (labelSelectorFromObject(d.spec?.selector).matches(rs.metadata.labels)) enqueue(d);
      };
      const undo = [
        deployments.addHandler({ add: enqueue, update: (_o, d) => enqueue(d), delete: enqueue }),
        sets.addHandler({ add: forSet, update: (old, rs) => [old, rs].forEach(forSet), delete: forSet }),
        // Recreate waits for the last old pod to be gone.
        pods.addHandler({
          delete(pod) {
            const owner = controllerOf(pod);
            const rs = owner?.kind === 'ReplicaSet' ? sets.lister.get(owner.name, pod.metadata.namespace) : undefined;
            const key = rs && ownerKey(rs as KubeObject, DEPLOYMENT);
            if (!key) return;
            const d = deployments.lister.getByKey(key);
            if (d?.spec?.strategy?.type === 'Recreate') queue.add(key);
          },
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      try {
        return await sync(key, signal);
      } catch (error) {
        // It went while we were at it.
        if (isNotFound(error) && !deployments.lister.getByKey(key)) return undefined;
        throw error;
      }
    },
  };

  async function sync(key: string, signal: AbortSignal): Promise<Outcome> {
    const { namespace, name } = splitKey(key);
    let d = deployments.lister.get(name, namespace);
    if (!d) return undefined;
    const selector = labelSelectorFromObject(d.spec?.selector);
    if (selector.isEmpty) {
      events(d as KubeObject, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
      return undefined;
    }
    const all = await claimObjects<ReplicaSet>({
      owner: d as KubeObject,
      ownerKind: DEPLOYMENT,
      selector,
      objects: sets.lister.list({ namespace }),
      client: client.api.replicaSets(namespace),
      freshOwner: () => client.api.deployments(namespace).get(name, { signal }) as Promise<KubeObject>,
      signal,
    });
    if (d.metadata.deletionTimestamp) {
      const status = countStatus(d, findNewReplicaSet(d, all), all, clock.now());
      if (!semanticEqual(status, d.status)) await setStatus(d, status, signal);
      return undefined;
    }
    d = await pausedCondition(d, signal);
    const replace = (list: readonly ReplicaSet[], rs: ReplicaSet) => list.map((x) => (x.metadata.uid === rs.metadata.uid ? rs : x));

    if (d.spec?.paused || isScalingEvent(d, all)) {
      const { d: d2, newSet } = await ensureNew(d, all, false, signal);
      let now = newSet ? replace(all, newSet) : all;
      for (const step of scaleProportionally(
        d2,
        newSet,
        now.filter((rs) => rs !== newSet),
      ))
        now = replace(now, await scale(d2, step, signal));
      return finish(d2, newSet && now.find((rs) => rs.metadata.uid === newSet.metadata.uid), now, signal);
    }

    if (d.spec?.strategy?.type === 'Recreate') {
      const found = findNewReplicaSet(d, all);
      const old = all.filter((rs) => rs !== found);
      const running = old.filter((rs) => specReplicas(rs) > 0);
      for (const rs of running) await scale(d, { replicaSet: rs, replicas: 0 }, signal);
      if (running.length > 0 || oldPodsRun(old)) return finish(d, found, all, signal);
    }
    const { d: d2, newSet } = await ensureNew(d, all, true, signal);
    if (!newSet) return undefined;
    let now = all.some((rs) => rs.metadata.uid === newSet.metadata.uid) ? replace(all, newSet) : [...all, newSet];
    const old = now.filter((rs) => rs.metadata.uid !== newSet.metadata.uid);
    const steps =
      d2.spec?.strategy?.type === 'Recreate'
        ? specReplicas(newSet) === (d2.spec?.replicas ?? 1)
          ? []
          : [{ replicaSet: newSet, replicas: d2.spec?.replicas ?? 1 }]
        : rollingStep(d2, newSet, old);
    for (const step of steps) now = replace(now, await scale(d2, step, signal));
    return finish(
      d2,
      now.find((rs) => rs.metadata.uid === newSet.metadata.uid),
      now,
      signal,
    );
  }
}
