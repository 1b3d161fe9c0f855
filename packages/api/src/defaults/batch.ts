import type { CronJob, Job, JobSpec } from '../generated/types.js';
import { defaultPodTemplate } from './pod.js';
import { setDefault, setDefaultText } from './set-default.js';

export function defaultJob({ metadata, spec }: Job): void {
  if (!spec) return;
  defaultJobTemplate(spec);
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  setDefault(spec, 'parallelism', 1);
  setDefault(spec, 'backoffLimit', spec.backoffLimitPerIndex === undefined ? 6 : 2147483647);
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  setDefault(spec, 'completionMode', 'NonIndexed');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'podReplacementPolicy', spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed');
}

function defaultJobTemplate(spec: JobSpec): void {
  defaultPodTemplate(spec.template);
  for (const pattern of (spec.podFailurePolicy?.rules ?? []).flatMap(({ onPodConditions = [] }) => onPodConditions)) {
    setDefaultText(pattern, 'status', 'True');
  }
}

export function defaultCronJob({ spec }: CronJob): void {
  if (!spec) return;
  setDefaultText(spec, 'concurrencyPolicy', 'Allow');
  setDefault(spec, 'suspend', false);
  setDefault(spec, 'successfulJobsHistoryLimit', 3);
  setDefault(spec, 'failedJobsHistoryLimit', 1);
  if (spec.jobTemplate?.spec) defaultJobTemplate(spec.jobTemplate.spec);
}
