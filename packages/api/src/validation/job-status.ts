import type { FieldError } from '../field-error.js';
import type { Job, JobStatus } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, nonNegative } from './common.js';
import { duplicate, invalid, invalidRelation, required } from './errors.js';
import { countIndexes, sharedIndex } from './job-indexes.js';

const TERMINAL = ['Failed', 'Complete', 'FailureTarget'];

/** The conditions of a job that are true. */
const conditionsOf = ({ status }: Job): ReadonlySet<string> =>
  new Set((status?.conditions ?? []).filter(({ status: is }) => is === 'True').map(({ type }) => type));

/**
 * What whoever manages a job may say of it. What was written by older versions stays: a rule holds for what this update changes.
 */
export function validateJobStatusUpdate(job: Job, old: Job): FieldError[] {
  const status = job.status ?? {};
  return [...validateCounts(status), ...validateConditions(job, old), ...validateEnd(job, old), ...validateIndexes(job, old), ...validateCourse(job, old)];
}

function validateCounts({ active, succeeded, failed, ready, terminating, uncountedTerminatedPods }: JobStatus): FieldError[] {
  const seen = new Set<string>();
  const uids = (list: readonly string[] | undefined, field: string) =>
    each(list, field, (uid, path) => {
      if (uid === '') return [invalid(path, uid, 'must not be empty')];
      if (seen.has(uid)) return [duplicate(path, uid)];
      seen.add(uid);
      return [];
    });
  return [
    ...Object.entries({ active, succeeded, failed, ready, terminating }).flatMap(([key, value]) => nonNegative(value, `status.${key}`)),
    ...uids(uncountedTerminatedPods?.succeeded, 'status.uncountedTerminatedPods.succeeded'),
    ...uids(uncountedTerminatedPods?.failed, 'status.uncountedTerminatedPods.failed'),
  ];
}

function validateConditions(job: Job, old: Job): FieldError[] {
  const now = conditionsOf(job);
  const before = conditionsOf(old);
  const changed = (...types: string[]) => types.some((type) => now.has(type) !== before.has(type));
  const wrong: string[] = [];
  if (changed('Complete', 'Failed') && now.has('Complete') && now.has('Failed')) wrong.push('cannot set Complete=True and Failed=true conditions');
  if (changed('Complete', 'FailureTarget') && now.has('Complete') && now.has('FailureTarget')) {
    wrong.push('cannot set Complete=True and FailureTarget=true conditions');
  }
  if (changed('Failed', 'FailureTarget') && now.has('Failed') && !now.has('FailureTarget')) {
    wrong.push('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if (changed('Complete', 'SuccessCriteriaMet') && now.has('Complete') && !now.has('SuccessCriteriaMet')) {
    wrong.push('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  for (const type of ['Failed', 'FailureTarget']) {
    if (now.has('SuccessCriteriaMet') && now.has(type)) wrong.push(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`);
  }
  if (job.spec?.successPolicy && now.has('Complete') && !now.has('SuccessCriteriaMet')) {
    wrong.push('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
  for (const type of TERMINAL) if (before.has(type) && !now.has(type)) wrong.push(`cannot disable the terminal ${type}=True condition`);
  if (before.has('SuccessCriteriaMet') && !now.has('SuccessCriteriaMet')) wrong.push('cannot disable the SuccessCriteriaMet=True condition');
  if (before.has('Complete') && !before.has('SuccessCriteriaMet') && now.has('SuccessCriteriaMet')) {
    wrong.push('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
  }
  return wrong.map((detail) => invalidRelation('status.conditions', detail));
}

/** What goes with the end of a job: when, and that nothing of it is left. */
function validateEnd(job: Job, old: Job): FieldError[] {
  const [now, before] = [conditionsOf(job), conditionsOf(old)];
  const status: JobStatus = job.status ?? {};
  const stored: JobStatus = old.status ?? {};
  const changed = (...keys: (keyof JobStatus)[]) => keys.some((key) => !deepEqual(status[key], stored[key]));
  const isFinished = now.has('Complete') || now.has('Failed');
  const finishedChanged = isFinished !== (before.has('Complete') || before.has('Failed'));
  const completeChanged = now.has('Complete') !== before.has('Complete');
  const { startTime, completionTime, active = 0, terminating = 0, uncountedTerminatedPods: uncounted } = status;
  const errors: FieldError[] = [];
  if (completeChanged || changed('completionTime')) {
    if (completionTime && !now.has('Complete')) {
      errors.push(invalid('status.completionTime', completionTime, 'cannot set completionTime when there is no Complete=True condition'));
    }
    if (!completionTime && now.has('Complete')) errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  if (changed('startTime', 'completionTime') && startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)) {
    errors.push(invalid('status.completionTime', completionTime, 'completionTime cannot be set before startTime'));
  }
  if (!isFinished) return errors;
  if ((finishedChanged || changed('active')) && active > 0) errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  if ((finishedChanged || changed('startTime')) && !startTime) errors.push(required('status.startTime', 'startTime is required for finished job'));
  if ((finishedChanged || changed('uncountedTerminatedPods')) && (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0) {
    errors.push(invalid('status.uncountedTerminatedPods', uncounted, 'uncountedTerminatedPods needs to be empty for finished job'));
  }
  if ((finishedChanged || changed('terminating')) && terminating > 0) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  return errors;
}

function validateIndexes({ spec, status = {} }: Job, { status: stored = {} }: Job): FieldError[] {
  const { completedIndexes: completed = '', failedIndexes: failed } = status;
  const completedChanged = completed !== (stored.completedIndexes ?? '');
  const failedChanged = failed !== stored.failedIndexes;
  const completions = spec?.completions;
  const errors: FieldError[] = [];
  const parsed = (key: string, list: string): void => {
    const wrong = completions === undefined ? 0 : countIndexes(list, completions);
    if (typeof wrong === 'string') errors.push(invalid(`status.${key}`, list, `error parsing ${key}: ${wrong}`));
  };
  if (completedChanged) {
    parsed('completedIndexes', completed);
    if (completed !== '' && spec?.completionMode !== 'Indexed') {
      errors.push(invalid('status.completedIndexes', completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'));
    }
  }
  if (failedChanged && failed !== undefined) {
    if (spec?.backoffLimitPerIndex !== undefined) parsed('failedIndexes', failed);
    else errors.push(invalid('status.failedIndexes', failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'));
  }
  const shared = (completedChanged || failedChanged) && completions !== undefined && failed ? sharedIndex(completed, failed, completions) : undefined;
  if (shared !== undefined) errors.push(invalid('status.failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${shared}`));
  return errors;
}

/** What only goes one way. */
function validateCourse({ spec, status = {} }: Job, { status: stored = {} }: Job): FieldError[] {
  const { ready, active = 0, failed = 0, succeeded = 0, completionTime, startTime } = status;
  const errors: FieldError[] = [];
  if ((ready !== stored.ready || active !== (stored.active ?? 0)) && (ready ?? 0) > active) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  if (failed < (stored.failed ?? 0)) errors.push(invalid('status.failed', failed, 'cannot decrease the failed counter'));
  // An elastic job that shrinks forgets what succeeded beyond its end.
  const elastic = spec?.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!elastic && succeeded < (stored.succeeded ?? 0)) errors.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  if (completionTime && stored.completionTime && completionTime !== stored.completionTime) {
    errors.push(invalid('status.completionTime', completionTime, 'completionTime cannot be mutated'));
  }
  if (stored.startTime && startTime !== stored.startTime && !spec?.suspend) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  }
  return errors;
}
