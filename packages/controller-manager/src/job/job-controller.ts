import type { Job, JobCondition, JobStatus, KubeObject, Pod } from '@coxswain/api';
import { formatTime, hasStatusCause, isNotFound, labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import { Expectations, Resources, splitKey } from '@coxswain/client';
import { isActive, isFinished, isReady, isTerminating } from '../pods/pod-state.js';
import { podsByOwner } from '../pods/pods-by-owner.js';
import { watchOwnedPods } from '../pods/watch-owned-pods.js';
import { claimObjects } from '../runtime/claim.js';
import { findCondition, withCondition } from '../runtime/conditions.js';
import type { Controller, ControllerContext, Outcome } from '../runtime/controller-context.js';
import { controllerOf, ownerKey } from '../runtime/owners.js';
import { slowStart } from '../runtime/slow-start.js';
import { formatIndexes, parseIndexes } from './indexes.js';
import {
  backoffLeft,
  dueIndexes,
  failsIndex,
  freeIndexes,
  hasIndexLimit,
  jobEnding,
  lastFailed,
  surplusPods,
  untilDeadline,
  wantedActive,
  type JobTally,
} from './job-decision.js';
import { FINALIZER, hasFailed, hasFinalizer, indexFailures, indexOf, isIndexed, JOB, makeJobPod, uncountedOf } from './job-pods.js';
import { failureVerdict } from './pod-failure-policy.js';

const MANAGED_BY = 'kubernetes.io/job-controller';

export const jobFinished = (job: Job): JobCondition | undefined =>
  job.status?.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True');

/**
 * Runs pods until enough have succeeded. Every pod carries a finalizer until it has been counted, so that none is lost or counted
 * twice: finished pods are first written into `uncountedTerminatedPods`, then lose the finalizer, then move into the counters.
 */
export function jobController({ client, informers, clock, events }: ControllerContext): Controller {
  const jobs = informers.informer(Resources.jobs);
  const pods = informers.informer(Resources.pods);
  const owned = podsByOwner(pods);
  const expectations = new Expectations(clock);
  const key = (j: { metadata: { namespace?: string; name?: string } }) => `${j.metadata.namespace}/${j.metadata.name}`;

  const setStatus = (job: Job, status: JobStatus, signal: AbortSignal) => client.api.jobs(job.metadata.namespace).updateStatus({ ...job, status }, { signal });

  async function release(pod: Pod, signal: AbortSignal): Promise<void> {
    if (!hasFinalizer(pod)) return;
    try {
      await client.api
        .pods(pod.metadata.namespace)
        .patch(pod.metadata.name ?? '', 'strategic', { metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [FINALIZER] } }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Not counted by this: the finalizer goes first. */
  async function remove(job: Job, victims: readonly Pod[], signal: AbortSignal): Promise<void> {
    expectations.expectDeletions(
      key(job),
      victims.map((p) => p.metadata.uid ?? ''),
    );
    await Promise.all(
      victims.map(async (pod) => {
        try {
          await release(pod, signal);
          await client.api.pods(pod.metadata.namespace).delete(pod.metadata.name ?? '', { signal });
          events(job as KubeObject, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name ?? ''}`);
        } catch (error) {
          expectations.deletionObserved(key(job), pod.metadata.uid ?? '');
          if (!isNotFound(error)) throw error;
        }
      }),
    );
  }

  /** Brings finished pods into the books; the status as it stands afterwards. */
  async function count(job: Job, all: readonly Pod[], signal: AbortSignal): Promise<{ job: Job; tally: JobTally }> {
    const completions = job.spec?.completions ?? 0;
    const before = job.status ?? {};
    const open = { succeeded: new Set(before.uncountedTerminatedPods?.succeeded ?? []), failed: new Set(before.uncountedTerminatedPods?.failed ?? []) };
    const succeededIndexes = parseIndexes(before.completedIndexes, completions);
    const failedIndexes = parseIndexes(before.failedIndexes, completions);
    const inBooks = (p: Pod) => open.succeeded.has(p.metadata.uid ?? '') || open.failed.has(p.metadata.uid ?? '');
    let failJob: string | undefined;
    let changed = false;
    const done: Pod[] = [];
    for (const p of all) {
      if (!hasFinalizer(p) || (!isFinished(p) && !hasFailed(p, job))) continue;
      done.push(p);
      if (inBooks(p)) continue;
      const index = indexOf(p);
      if (isIndexed(job) && (index === undefined || index >= completions)) continue;
      changed = true;
      if (p.status?.phase === 'Succeeded') {
        // Two pods of one index count once.
        if (index === undefined || !succeededIndexes.has(index)) open.succeeded.add(p.metadata.uid ?? '');
        if (index !== undefined) succeededIndexes.add(index);
        continue;
      }
      const verdict = failureVerdict(job, p);
      if (verdict.action === 'FailJob') failJob ??= verdict.message;
      if (verdict.action !== 'Ignore') open.failed.add(p.metadata.uid ?? '');
      if (index !== undefined && !succeededIndexes.has(index) && failsIndex(job, p)) failedIndexes.add(index);
    }
    const indexed = isIndexed(job)
      ? {
          completedIndexes: formatIndexes(succeededIndexes),
          ...((job.spec?.backoffLimitPerIndex ?? undefined) !== undefined && { failedIndexes: formatIndexes(failedIndexes) }),
        }
      : {};
    let current = job;
    if (changed && open.succeeded.size + open.failed.size > 0) {
      const uncountedTerminatedPods = { succeeded: [...open.succeeded], failed: [...open.failed] };
      current = await setStatus(job, { ...before, ...indexed, uncountedTerminatedPods }, signal);
    }
    await Promise.all(done.map((p) => release(p, signal)));
    const succeeded = isIndexed(job) ? succeededIndexes.size : (before.succeeded ?? 0) + open.succeeded.size;
    const failed = (before.failed ?? 0) + open.failed.size;
    const status: JobStatus = { ...current.status, ...indexed, succeeded, failed, uncountedTerminatedPods: {} };
    return { job: { ...current, status }, tally: { succeeded, failed, succeededIndexes, failedIndexes, failJob } };
  }

  /** Makes as many pods as are missing. Returns after how many milliseconds there is more to make; undefined: nothing is left to wait for. */
  async function create(job: Job, tally: JobTally, occupying: readonly Pod[], all: readonly Pod[], number: number, now: number, signal: AbortSignal) {
    const perIndex = hasIndexLimit(job);
    let wait: number;
    let indexes = isIndexed(job) ? freeIndexes(job, tally, occupying, number) : undefined;
    if (indexes && perIndex) ({ due: indexes, wait } = dueIndexes(job, indexes, all, now));
    else {
      const ended = all.filter((p) => isFinished(p) || hasFailed(p, job));
      wait = backoffLeft(ended, job, now);
      if (wait > 0) return wait;
      wait = Number.POSITIVE_INFINITY;
    }
    const failuresOf = (index: number) => {
      const last = lastFailed(job, all, index);
      return last ? indexFailures(job, last) : { failed: 0, ignored: 0 };
    };
    const total = indexes?.length ?? number;
    expectations.expectCreations(key(job), total);
    const { succeeded, error } = await slowStart(total, async (i) => {
      const index = indexes?.[i];
      const pod = await client.api
        .pods(job.metadata.namespace)
        .create(makeJobPod(job, index, perIndex && index !== undefined ? failuresOf(index) : undefined), { signal });
      events(job as KubeObject, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name ?? ''}`);
    });
    for (let i = succeeded; i < total; i++) expectations.creationObserved(key(job));
    if (error === undefined || hasStatusCause(error, 'NamespaceTerminating')) return Number.isFinite(wait) ? wait : undefined;
    events(job as KubeObject, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
    throw error;
  }

  return {
    name: 'job',
    watch(queue) {
      const undo = [
        jobs.addHandler({ add: (j) => queue.add(key(j)), update: (_o, j) => queue.add(key(j)), delete: (j) => queue.add(key(j)) }),
        watchOwnedPods(pods, {
          ownerOf: (p) => ownerKey(p as KubeObject, JOB),
          orphanKeys: (p) =>
            jobs.lister
              .list({ namespace: p.metadata.namespace })
              .filter((j) => labelSelectorFromObject(j.spec?.selector).matches(p.metadata.labels))
              .map(key),
          queue,
          created: (k) => expectations.creationObserved(k),
          deleted: (k, uid) => expectations.deletionObserved(k, uid),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal): Promise<Outcome> {
      const { namespace, name } = splitKey(at);
      const cached = jobs.lister.get(name, namespace);
      if (!cached) {
        expectations.forget(at);
        // Pods of a job that is gone must not wait to be counted.
        for (const p of pods.lister.list({ namespace }))
          if (hasFinalizer(p) && controllerOf(p)?.kind === 'Job' && controllerOf(p)?.name === name) await release(p, signal);
        return undefined;
      }
      if (cached.spec?.managedBy && cached.spec.managedBy !== MANAGED_BY) return undefined;
      if (jobFinished(cached)) {
        for (const p of owned.controlledBy(cached)) await release(p, signal);
        return undefined;
      }
      const upToDate = expectations.satisfied(at);
      let all = await claimObjects<Pod>({
        owner: cached as KubeObject,
        ownerKind: JOB,
        selector: labelSelectorFromObject(cached.spec?.selector),
        objects: owned.claimable(cached),
        client: client.api.pods(namespace),
        freshOwner: () => client.api.jobs(namespace).get(name, { signal }) as Promise<KubeObject>,
        signal,
      });
      const now = clock.now();
      const original = cached;
      const { job: counted, tally } = await count(cached, all, signal);
      let job = counted;
      let conditions = job.status?.conditions ?? [];
      let active = all.filter((p) => isActive(p));
      let startTime = job.status?.startTime;
      let requeue: number | undefined;
      const suspended = Boolean(job.spec?.suspend);
      if (startTime === undefined && !suspended) startTime = formatTime(now);
      job = { ...job, status: { ...job.status, ...(startTime !== undefined && { startTime }) } };
      const ending = jobEnding(job, tally, active, now);
      let completionTime: string | undefined;
      if (ending) {
        const target = ending.type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet';
        conditions = withCondition(
          conditions,
          { type: target, status: 'True', reason: ending.reason, message: ending.message, lastProbeTime: formatTime(now) } as JobCondition,
          formatTime(now),
        );
        // What a job that fails takes away has failed as well; it is in the books before it may go.
        const failing = ending.type === 'Failed' ? uncountedOf(cached, active) : [];
        if (failing.length > 0) {
          const { metadata } = await setStatus(job, { ...job.status, conditions, uncountedTerminatedPods: { failed: failing } }, signal);
          job = { ...job, metadata, status: { ...job.status, failed: tally.failed + failing.length } };
        }
        startTime ??= formatTime(now);
        if (active.length > 0) await remove(job, active, signal);
        const leaving = all.filter((p) => isTerminating(p)).length + active.length;
        active = [];
        if (leaving === 0) {
          // A suspended job that ends has never begun, but whatever ended began.
          startTime ??= formatTime(now);
          conditions = withCondition(
            conditions,
            { type: ending.type, status: 'True', reason: ending.reason, message: ending.message, lastProbeTime: formatTime(now) } as JobCondition,
            formatTime(now),
          );
          if (ending.type === 'Complete') {
            completionTime = formatTime(now);
            events(job as KubeObject, 'Normal', 'Completed', 'Job completed');
          } else events(job as KubeObject, 'Warning', ending.reason, ending.message);
        }
      } else if (suspended) {
        if (upToDate && active.length > 0) {
          await remove(job, active, signal);
          active = [];
        }
        if (findCondition(conditions, 'Suspended')?.status !== 'True') {
          conditions = withCondition(
            conditions,
            { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended', lastProbeTime: formatTime(now) } as JobCondition,
            formatTime(now),
          );
          events(job as KubeObject, 'Normal', 'Suspended', 'Job suspended');
        }
        startTime = undefined;
      } else {
        if (findCondition(conditions, 'Suspended')?.status === 'True') {
          conditions = withCondition(
            conditions,
            { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed', lastProbeTime: formatTime(now) } as JobCondition,
            formatTime(now),
          );
          startTime = formatTime(now);
          events(job as KubeObject, 'Normal', 'Resumed', 'Job resumed');
        }
        const wanted = wantedActive(job, tally, active.length);
        const onlyFailed = (job.spec?.podReplacementPolicy ?? (job.spec?.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed')) === 'Failed';
        const occupying = onlyFailed ? [...active, ...all.filter(isTerminating)] : active;
        if (upToDate && !job.metadata.deletionTimestamp) {
          const victims = surplusPods(job, active, wanted, now);
          if (victims.length > 0) {
            await remove(job, victims, signal);
            active = active.filter((p) => !victims.includes(p));
          } else if (occupying.length < wanted) requeue = await create(job, tally, occupying, all, wanted - occupying.length, now, signal);
        }
        const deadline = untilDeadline({ ...job, status: { ...job.status, ...(startTime !== undefined && { startTime }) } }, now);
        if (deadline !== undefined) requeue = Math.min(requeue ?? deadline, deadline);
      }
      all = owned.controlledBy(cached);
      const { startTime: _start, ...rest } = job.status ?? {};
      const status: JobStatus = {
        ...rest,
        active: active.length,
        ready: active.filter(isReady).length,
        terminating: all.filter(isTerminating).length,
        ...(conditions.length > 0 && { conditions }),
        ...(startTime !== undefined && { startTime }),
        ...(completionTime !== undefined && { completionTime }),
      };
      if (!semanticEqual(status, original.status)) {
        try {
          await setStatus(job, status, signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      return requeue === undefined ? undefined : { requeueAfterMs: Math.max(1, requeue) };
    },
  };
}
