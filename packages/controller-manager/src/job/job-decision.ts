import type { Job, Pod } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';
import { byDeletionOrder } from '../replicas/deletion-order.js';
import { parseIndexes } from './indexes.js';
import { findCondition } from '../runtime/conditions.js';
import { finishedAt, hasFailed, indexFailures, indexOf, isIndexed } from './job-pods.js';
import { failureVerdict } from './pod-failure-policy.js';

const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 10 * 60_000;

/** How often the containers of a pod that is still at it were started again. */
function restartsOf({ status }: Pod): number {
  if (status?.phase !== 'Running' && status?.phase !== 'Pending') return 0;
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].reduce((n, { restartCount = 0 }) => n + restartCount, 0);
}

/** How a job ends. */
export type Ending = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string };

/** The job's progress as counted, with what was found since. */
export interface JobTally {
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Verdict of the first pod that fails the whole job. */
  readonly failJob: string | undefined;
}

/** What was once decided stands: the pods that led to it are being removed, and no longer show it. */
function decidedEnding(job: Job): Ending | undefined {
  for (const [decision, type] of [
    ['FailureTarget', 'Failed'],
    ['SuccessCriteriaMet', 'Complete'],
  ] as const) {
    const { status, reason = '', message = '' } = findCondition(job.status?.conditions, decision) ?? {};
    if (status === 'True') return { type, reason, message };
  }
  return undefined;
}

/** Whether the job has come to an end, and why. */
export function jobEnding(job: Job, tally: JobTally, active: readonly Pod[], now: number): Ending | undefined {
  const decided = decidedEnding(job);
  if (decided) return decided;
  const spec = job.spec;
  if (tally.failJob !== undefined) return { type: 'Failed', reason: 'PodFailurePolicy', message: tally.failJob };
  const limit = spec?.backoffLimit ?? 6;
  const onFailure = spec?.template?.spec?.restartPolicy === 'OnFailure';
  const restarted = onFailure ? active.reduce((n, p) => n + restartsOf(p), 0) : 0;
  if (tally.failed > limit || (onFailure && (limit === 0 ? restarted > 0 : restarted >= limit)))
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  const deadline = untilDeadline(job, now);
  if (deadline !== undefined && deadline <= 0) return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  if (isIndexed(job)) {
    const completions = spec?.completions ?? 1;
    if (spec?.maxFailedIndexes !== undefined && spec.maxFailedIndexes !== null && tally.failedIndexes.size > spec.maxFailedIndexes) {
      return { type: 'Failed', reason: 'MaxFailedIndexesExceeded', message: 'Job has exceeded the specified maximal number of failed indexes' };
    }
    for (const [i, rule] of (spec?.successPolicy?.rules ?? []).entries()) {
      const wanted =
        rule.succeededIndexes === undefined
          ? tally.succeededIndexes
          : new Set([...parseIndexes(rule.succeededIndexes, completions)].filter((x) => tally.succeededIndexes.has(x)));
      const need = rule.succeededCount ?? parseIndexes(rule.succeededIndexes, completions).size;
      if (wanted.size >= need) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${i}` };
    }
    if (tally.succeededIndexes.size + tally.failedIndexes.size >= completions) {
      if (tally.failedIndexes.size > 0) return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' };
      return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
    }
    return undefined;
  }
  const complete =
    spec?.completions === undefined || spec.completions === null ? tally.succeeded > 0 && active.length === 0 : tally.succeeded >= spec.completions;
  return complete ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
}

/** Milliseconds until activeDeadlineSeconds; undefined: there is none, or the job has not begun. */
export function untilDeadline(job: Job, now: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const start = parseTime(job.status?.startTime ?? '');
  return seconds === undefined || seconds === null || start === undefined || job.spec?.suspend ? undefined : start + seconds * 1000 - now;
}

/** How many pods should be active now. */
export function wantedActive(job: Job, tally: JobTally, active: number): number {
  const parallelism = job.spec?.parallelism ?? 1;
  if (isIndexed(job)) return Math.min(parallelism, Math.max(0, (job.spec?.completions ?? 1) - tally.succeededIndexes.size - tally.failedIndexes.size));
  const completions = job.spec?.completions;
  if (completions === undefined || completions === null) return tally.succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  return Math.min(parallelism, Math.max(0, completions - tally.succeeded));
}

/** The lowest indexes that have neither finished nor an active pod. */
export function freeIndexes(job: Job, tally: JobTally, active: readonly Pod[], count: number): number[] {
  const taken = new Set(active.map(indexOf));
  const out: number[] = [];
  for (let i = 0; i < (job.spec?.completions ?? 1) && out.length < count; i++) {
    if (!taken.has(i) && !tally.succeededIndexes.has(i) && !tally.failedIndexes.has(i)) out.push(i);
  }
  return out;
}

const backoffAfter = (failures: number): number => Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1));

/** Milliseconds to wait after failures before pods are made again: 10 s, doubling with each since the last success. */
export function backoffLeft(finished: readonly Pod[], job: Job, now: number): number {
  const ends = finished.map((p) => ({ at: finishedAt(p) ?? 0, failed: hasFailed(p, job) })).sort((a, b) => b.at - a.at);
  const streak = ends.findIndex((e) => !e.failed);
  const failures = streak === -1 ? ends.length : streak;
  if (failures === 0) return 0;
  return Math.max(0, (ends[0]?.at ?? 0) + backoffAfter(failures) - now);
}

export const hasIndexLimit = (job: Job): boolean => (job.spec?.backoffLimitPerIndex ?? undefined) !== undefined;

/** Of the index, the pod that failed last: it carries the number of failures before it. */
export function lastFailed(job: Job, pods: readonly Pod[], index: number): Pod | undefined {
  const all = ({ failed, ignored }: { readonly failed: number; readonly ignored: number }) => failed + ignored;
  return pods
    .filter((p) => indexOf(p) === index && hasFailed(p, job))
    .reduce<Pod | undefined>((a, b) => (a && all(indexFailures(job, a)) >= all(indexFailures(job, b)) ? a : b), undefined);
}

/** With `backoffLimitPerIndex` every index waits by its own failures: those that may have a pod now, and how long until the next may. */
export function dueIndexes(job: Job, indexes: readonly number[], pods: readonly Pod[], now: number): { readonly due: number[]; readonly wait: number } {
  const due: number[] = [];
  let wait = Number.POSITIVE_INFINITY;
  for (const index of indexes) {
    const pod = lastFailed(job, pods, index);
    const { failed = 0, ignored = 0 } = pod ? indexFailures(job, pod) : {};
    const left = pod ? (finishedAt(pod) ?? 0) + backoffAfter(failed + ignored) - now : 0;
    if (left <= 0) due.push(index);
    else wait = Math.min(wait, left);
  }
  return { due, wait };
}

/** Whether this failure uses up the index (`backoffLimitPerIndex`, or a FailIndex rule). */
export function failsIndex(job: Job, pod: Pod): boolean {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined || limit === null) return false;
  return failureVerdict(job, pod).action === 'FailIndex' || indexFailures(job, pod).failed > limit;
}

/** Which active pods have to go: those of no index of the job, all but one of an index, and then as many as there are beyond `wanted`. */
export function surplusPods(job: Job, active: readonly Pod[], wanted: number, now: number): Pod[] {
  const byOrder = [...active].sort(byDeletionOrder(() => 0, now));
  const surplus: Pod[] = [];
  if (isIndexed(job)) {
    const seen = new Set<number>();
    for (const pod of byOrder.toReversed()) {
      const index = indexOf(pod);
      if (index === undefined || index >= (job.spec?.completions ?? 1) || seen.has(index)) surplus.push(pod);
      else seen.add(index);
    }
  }
  const rest = byOrder.filter((p) => !surplus.includes(p));
  return [...surplus, ...rest.slice(0, Math.max(0, rest.length - wanted))];
}
