import type { CronJob, Job } from '../../generated/types.js';
import { ageColumn, column, containerColumns, formatLabelSelector, nameColumn, printBoolean } from '../../printing/column.js';
import { ageOf } from '../../printing/human-duration.js';
import { jobCompletions, jobDuration, jobStatus } from '../../printing/job-cells.js';
import { cronJobStrategy, jobStatusStrategy, jobStrategy } from '../../strategies/batch.js';
import { defineGroup, type Row } from '../define.js';

const jobs: Row = {
  kind: 'Job',
  resource: 'jobs',
  categories: ['all'],
  strategy: jobStrategy,
  status: jobStatusStrategy,
  selectableFields: { 'status.successful': (object) => String(object.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    column<Job>('Status', jobStatus),
    column<Job>('Completions', jobCompletions),
    column<Job>('Duration', jobDuration),
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec?.template.spec?.containers),
    column<Job>('Selector*', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
};

const cronJobs: Row = {
  kind: 'CronJob',
  resource: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  strategy: cronJobStrategy,
  status: {},
  columns: [
    nameColumn,
    column<CronJob>('Schedule', ({ spec }) => spec?.schedule ?? ''),
    column<CronJob>('Timezone', ({ spec }) => spec?.timeZone ?? '<none>'),
    column<CronJob>('Suspend', ({ spec }) => printBoolean(spec?.suspend), 'boolean'),
    column<CronJob>('Active', ({ status }) => status?.active?.length ?? 0, 'integer'),
    column<CronJob>('Last Schedule', ({ status }, now) => (status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : '<none>')),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate.spec?.template.spec?.containers),
    column<CronJob>('Selector*', ({ spec }) => formatLabelSelector(spec?.jobTemplate.spec?.selector)),
  ],
};

export const batch = defineGroup('batch', 'v1', 'io.k8s.api.batch.v1', [cronJobs, jobs]);
