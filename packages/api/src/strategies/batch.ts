import type { ResourceStrategy } from '../definition.js';
import { defaultCronJob, defaultJob } from '../defaults/batch.js';
import type { CronJob, Job } from '../generated/types.js';
import { validateCronJob, validateNewCronJob } from '../validation/cron-job.js';
import { generateSelector, jobWarnings, validateJob, validateJobUpdate, validateNewJob } from '../validation/job.js';
import { validateJobStatusUpdate } from '../validation/job-status.js';
import { podWarnings } from '../validation/pod/warnings.js';
import type { StrategyParts } from './lifecycle.js';
import { nameWarnings, onNewSpec } from './template-warnings.js';

const specWarnings = onNewSpec((object) => {
  const { spec } = object as Job;
  return [...jobWarnings(spec, 'spec'), ...podWarnings(spec?.template, 'spec.template')];
});

/**
 * `prepareForCreate` needs `metadata.name` and `metadata.uid`: the pods of a job are found by its uid.
 */
export const jobStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultJob(object as Job),
  prepareForCreate: (object) => generateSelector(object as Job),
  validate: (object, old) => validateJob(object as Job, old as Job | undefined),
  validateNew: (object) => validateNewJob(object as Job),
  validateUpdate: (object, old) => validateJobUpdate(object as Job, old as Job),
  warnings: (object, old) => [...(old ? [] : nameWarnings(object)), ...specWarnings(object, old)],
  defaultDeletionPropagation: 'Background',
};

export const jobStatusStrategy: ResourceStrategy = {
  validateUpdate: (object, old) => validateJobStatusUpdate(object as Job, old as Job),
};

const ZONES = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/';

const cronJobWarnings = onNewSpec((object) => {
  const { spec } = object as CronJob;
  const job = spec?.jobTemplate?.spec;
  return [
    ...jobWarnings(job, 'spec.jobTemplate.spec'),
    ...podWarnings(job?.template, 'spec.jobTemplate.spec.template'),
    ...(spec?.schedule?.includes('TZ') ? [`spec.schedule: CRON_TZ or TZ used in schedule is not officially supported, see ${ZONES} for more details`] : []),
  ];
});

export const cronJobStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultCronJob(object as CronJob),
  validate: (object, old) => validateCronJob(object as CronJob, old as CronJob),
  validateNew: (object) => validateNewCronJob(object as CronJob),
  warnings: (object, old) => [...(old ? [] : nameWarnings(object)), ...cronJobWarnings(object, old)],
};
