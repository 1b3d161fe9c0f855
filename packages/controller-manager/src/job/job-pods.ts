import type { Job, KubeObject, Pod } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';
import { podFromTemplate } from '../pods/pod-from-template.js';
import { failureVerdict } from './pod-failure-policy.js';

export const FINALIZER = 'batch.kubernetes.io/job-tracking';
export const INDEX = 'batch.kubernetes.io/job-completion-index';
const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';
export const JOB = { apiVersion: 'batch/v1', kind: 'Job' } as const;

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed';
export const hasFinalizer = (pod: Pod): boolean => pod.metadata.finalizers?.includes(FINALIZER) ?? false;

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Failed, or on its way out without having succeeded. */
export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (!pod.metadata.deletionTimestamp || pod.status?.phase === 'Succeeded') return false;
  const onlyFailed = (job.spec?.podReplacementPolicy ?? (job.spec?.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed')) === 'Failed';
  return !onlyFailed || pod.status?.phase === 'Pending';
}

/** By uid, those of a job's pods that have yet to be counted, were they to fail now. */
export function uncountedOf(job: Job, pods: readonly Pod[]): string[] {
  const booked = new Set(job.status?.uncountedTerminatedPods?.failed);
  const counts = (pod: Pod): boolean => {
    const index = indexOf(pod);
    return !isIndexed(job) || (index !== undefined && index < (job.spec?.completions ?? 0));
  };
  const open = pods.filter((pod) => hasFinalizer(pod) && counts(pod) && failureVerdict(job, pod).action !== 'Ignore');
  return open.map(({ metadata }) => metadata.uid ?? '').filter((uid) => !booked.has(uid));
}

/** When it finished, as well as one can tell. */
export function finishedAt(pod: Pod): number | undefined {
  const ends = (pod.status?.containerStatuses ?? []).map((s) => parseTime(s.state?.terminated?.finishedAt ?? '')).filter((t): t is number => t !== undefined);
  if (ends.length > 0) return Math.max(...ends);
  return (
    parseTime(pod.metadata.deletionTimestamp ?? '') ??
    parseTime(pod.status?.conditions?.find((c) => c.type === 'Ready')?.lastTransitionTime ?? '') ??
    parseTime(pod.metadata.creationTimestamp ?? '')
  );
}

/** How often an index failed, and how often that was ignored by the failure policy. */
export interface IndexFailures {
  readonly failed: number;
  readonly ignored: number;
}

/** The failures of the pod's index, this pod's own included. */
export function indexFailures(job: Job, pod: Pod): IndexFailures {
  const before = (annotation: string) => Number(pod.metadata.annotations?.[annotation] ?? 0) || 0;
  const ignored = failureVerdict(job, pod).action === 'Ignore';
  return { failed: before(FAILURE_COUNT) + Number(!ignored), ignored: before(IGNORED_COUNT) + Number(ignored) };
}

/** A pod of the job; with an index, it knows it by annotation, label, environment and host name. */
export function makeJobPod(job: Job, index: number | undefined, failures: IndexFailures | undefined): Pod {
  const pod = podFromTemplate(job.spec?.template, job as KubeObject, JOB);
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), FINALIZER];
  if (index === undefined) return pod;
  const name = job.metadata.name ?? '';
  pod.metadata.generateName = `${name}-${index}-`;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [INDEX]: String(index),
    ...(failures && { [FAILURE_COUNT]: String(failures.failed) }),
    ...(failures && failures.ignored > 0 && { [IGNORED_COUNT]: String(failures.ignored) }),
  };
  pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: String(index) };
  const spec = pod.spec as NonNullable<Pod['spec']>;
  spec.hostname ??= `${name}-${index}`.slice(0, 63);
  const env = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` } } };
  for (const c of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    if (!c.env?.some((e) => e.name === env.name)) c.env = [...(c.env ?? []), env];
  }
  return pod;
}
