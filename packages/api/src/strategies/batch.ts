import type { ResourceStrategy } from '../definition.js';
import { defaultCronJob, defaultJob } from '../defaults/batch.js';
import type { CronJob, Job } from '../generated/types.js';
import { validateCronJob } from '../validation/cron-job.js';
import { validateJob, validateJobUpdate } from '../validation/job.js';
import { podWarnings } from '../validation/pod/warnings.js';
import type { StrategyParts } from './lifecycle.js';

/**
 * `prepareForCreate` needs `metadata.name` and `metadata.uid`: the pods of a job are found by its uid.
 */
export const jobStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultJob(object as Job),
  prepareForCreate: (object) => generateSelector(object as Job),
  validate: (object) => validateJob(object as Job),
  validateUpdate: (object, old) => validateJobUpdate(object as Job, old as Job),
  warnings: (object) => podWarnings((object as Job).spec?.template?.spec, 'spec.template.spec'),
  defaultDeletionPropagation: 'Background',
};

function generateSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector || !spec.template) return;
  const uid = metadata.uid ?? '';
  const name = metadata.name ?? '';
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    ...spec.template.metadata.labels,
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  spec.selector ??= { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
}

export const jobStatusStrategy: ResourceStrategy = {};

export const cronJobStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultCronJob(object as CronJob),
  validate: (object) => validateCronJob(object as CronJob),
  warnings: (object) => podWarnings((object as CronJob).spec?.jobTemplate?.spec?.template?.spec, 'spec.jobTemplate.spec.template.spec'),
};
