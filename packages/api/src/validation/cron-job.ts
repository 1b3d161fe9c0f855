import type { FieldError } from '../field-error.js';
import type { CronJob } from '../generated/types.js';
import { isSchedule } from '../util/cron-schedule.js';
import { nonNegative, requiredEnum } from './common.js';
import { invalid, required } from './errors.js';
import { validateJobSpec } from './job.js';
import { maxLengthError } from './names.js';

const MAX_NAME = 52;

export function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  if ((metadata.name ?? '').length > MAX_NAME) errors.push(invalid('metadata.name', metadata.name, maxLengthError(MAX_NAME)));
  if (!spec.schedule) errors.push(required('spec.schedule'));
  else if (/^(CRON_)?TZ=|\s(CRON_)?TZ=/.test(spec.schedule)) {
    errors.push(invalid('spec.schedule', spec.schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  } else if (!isSchedule(spec.schedule)) {
    errors.push(invalid('spec.schedule', spec.schedule, 'expected a standard cron expression'));
  }
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
    const detail = spec.timeZone === '' ? 'timeZone must be nil or non-empty string' : `unknown time zone ${spec.timeZone}`;
    errors.push(invalid('spec.timeZone', spec.timeZone, detail));
  }
  errors.push(
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...requiredEnum(spec.concurrencyPolicy, 'spec.concurrencyPolicy', ['Allow', 'Forbid', 'Replace']),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  );
  const job = spec.jobTemplate?.spec;
  if (!job) return [...errors, required('spec.jobTemplate.spec')];
  if (job.manualSelector) errors.push(invalid('spec.jobTemplate.spec.manualSelector', true, '`manualSelector` is not supported in a cron job'));
  return [...errors, ...validateJobSpec(job, 'spec.jobTemplate.spec')];
}

function isTimeZone(zone: string): boolean {
  if (zone === '' || zone === 'Local') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
