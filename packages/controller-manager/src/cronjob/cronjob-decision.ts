import type { CronJob } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';
import { CronSchedule } from './cron-schedule.js';

/** More missed times than this are not looked through one by one. */
const TOO_MANY = 100;

export interface DueTimes {
  /** The latest time that has come and was not acted on; undefined: none. */
  readonly due: number | undefined;
  readonly missed: number;
  /** When to look again. */
  readonly next: number | undefined;
}

/** Which of the schedule's times have come since the last run. Throws when the schedule or time zone is no good. */
export function dueTimes(cronJob: CronJob, now: number): DueTimes {
  const schedule = new CronSchedule(cronJob.spec?.schedule ?? '', cronJob.spec?.timeZone ?? undefined);
  let since = parseTime(cronJob.status?.lastScheduleTime ?? '') ?? parseTime(cronJob.metadata.creationTimestamp ?? '') ?? now;
  const deadline = cronJob.spec?.startingDeadlineSeconds;
  if (deadline !== undefined && deadline !== null) since = Math.max(since, now - deadline * 1000);
  let due: number | undefined;
  let missed = 0;
  let next = schedule.next(since);
  for (; next !== undefined && next <= now; next = schedule.next(next)) {
    due = next;
    if (++missed > TOO_MANY) {
      // Far behind: the last one is found from this end.
      for (let back = 60_000; back < 400 * 86_400_000; back *= 2) {
        let last: number | undefined;
        for (let x = schedule.next(now - back); x !== undefined && x <= now; x = schedule.next(x)) last = x;
        if (last !== undefined) return { due: last, missed, next: schedule.next(last) };
      }
      next = schedule.next(now);
      break;
    }
  }
  return { due, missed, next };
}

/** The time a job is for, as the clocks of the cron job's zone show it. */
export const scheduledAt = ({ spec }: CronJob, at: number): string => new CronSchedule(spec?.schedule ?? '', spec?.timeZone ?? undefined).format(at);

/** The job of one time: always of the same name, so that a time is never run twice. */
export const jobNameFor = (cronJob: CronJob, at: number): string => `${(cronJob.metadata.name ?? '').slice(0, 52)}-${Math.floor(at / 60_000)}`;
