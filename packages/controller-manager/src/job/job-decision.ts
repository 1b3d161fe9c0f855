import type { Job, Pod } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';
import { restarts } from '../pods/pod-state.js';
import { parseIndexes } from './indexes.js';
import { findCondition } from '../runtime/conditions.js';
import { finishedAt, hasFailed, indexOf, isIndexed, FAILURE_COUNT } from './job-pods.js';
import { failureVerdict } from './pod-failure-policy.js';

const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 10 * 60_000;

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
  const restarted = onFailure ? active.reduce((n, p) => n + restarts(p), 0) : 0;
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

/** Milliseconds to wait after failures before pods are made again: 10 s, doubling with each since the last success. */
export function backoffLeft(finished: readonly Pod[], job: Job, now: number): number {
  const ends = finished.map((p) => ({ at: finishedAt(p) ?? 0, failed: hasFailed(p, job) })).sort((a, b) => b.at - a.at);
  const streak = ends.findIndex((e) => !e.failed);
  const failures = streak === -1 ? ends.length : streak;
  if (failures === 0) return 0;
  return Math.max(0, (ends[0]?.at ?? 0) + Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1)) - now);
}

/** How often the index has failed, its last failed pod included. */
export const indexFailures = (pod: Pod): number => Number(pod.metadata.annotations?.[FAILURE_COUNT] ?? 0) + 1;

/** Whether this failure uses up the index (`backoffLimitPerIndex`, or a FailIndex rule). */
export function failsIndex(job: Job, pod: Pod): boolean {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined || limit === null) return false;
  const verdict = failureVerdict(job, pod);
  return verdict.action === 'FailIndex' || (verdict.action === 'Count' && indexFailures(pod) > limit);
}
