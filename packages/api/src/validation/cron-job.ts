import type { FieldError } from '../field-error.js';
import type { CronJob } from '../generated/types.js';
import { isSchedule } from '../util/cron-schedule.js';
import { nonNegative, requiredEnum } from './common.js';
import { invalid, notSupported, required } from './errors.js';
import { validateJobSpec } from './job.js';
import { maxLengthError } from './names.js';

const MAX_NAME = 52;

/** The controller adds eleven characters to the name of a job. */
export const validateNewCronJob = ({ metadata }: CronJob): FieldError[] =>
  (metadata.name ?? '').length > MAX_NAME ? [invalid('metadata.name', metadata.name, maxLengthError(MAX_NAME))] : [];

/** With `old`, what was allowed when that was written stays. */
export function validateCronJob({ spec }: CronJob, old?: CronJob): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  if (!spec.schedule) errors.push(required('spec.schedule'));
  else errors.push(...validateSchedule(spec.schedule, spec.timeZone, old?.spec?.schedule.includes('TZ') ?? false));
  if (!old || old.spec?.timeZone !== spec.timeZone) errors.push(...validateTimeZone(spec.timeZone, 'spec.timeZone'));
  errors.push(
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...requiredEnum(spec.concurrencyPolicy, 'spec.concurrencyPolicy', ['Allow', 'Forbid', 'Replace']),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  );
  const job = spec.jobTemplate?.spec;
  if (!job) return [...errors, required('spec.jobTemplate.spec')];
  errors.push(...validateJobSpec(job, 'spec.jobTemplate.spec', old?.spec?.jobTemplate?.spec));
  if (job.selector) errors.push(invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'));
  if (job.manualSelector) errors.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  return errors;
}

function validateSchedule(schedule: string, timeZone: string | undefined, zoneAllowed: boolean): FieldError[] {
  const field = 'spec.schedule';
  const bare = zoneAllowed ? schedule.replace(/^(CRON_)?TZ=\S+\s+/, '') : schedule;
  if (schedule.includes('TZ')) {
    if (!zoneAllowed) return [invalid(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')];
    if (timeZone !== undefined) return [invalid(field, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule')];
  }
  return isSchedule(bare) ? [] : [invalid(field, schedule, 'expected a standard cron expression')];
}

function validateTimeZone(zone: string | undefined, field: string): FieldError[] {
  if (zone === undefined) return [];
  if (zone === '') return [invalid(field, zone, 'timeZone must be nil or non-empty string')];
  if (zone.split('/').some((part) => part === '.' || part === '..' || !/^[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}$/.test(part))) {
    return [invalid(field, zone, `unknown time zone ${zone}`)];
  }
  if (zone.toLowerCase() === 'local') {
    return [invalid(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')];
  }
  return isTimeZone(zone) ? [] : [invalid(field, zone, `unknown time zone ${zone}`)];
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
