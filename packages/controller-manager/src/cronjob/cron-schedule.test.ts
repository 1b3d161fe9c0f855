import { describe, expect, it } from 'vitest';
import { CronSchedule } from './cron-schedule.js';

const next = (schedule: string, after: string, zone?: string, count = 1) => {
  const s = new CronSchedule(schedule, zone);
  const out: string[] = [];
  for (let t: number | undefined = Date.parse(after); out.length < count; ) {
    t = s.next(t);
    if (t === undefined) break;
    out.push(new Date(t).toISOString().slice(0, 16));
  }
  return out.join(' ');
};

describe('CronSchedule', () => {
  it.each([
    ['*/15 * * * *', '2026-03-01T10:07:30Z', '2026-03-01T10:15'],
    ['0 0 * * *', '2026-02-28T00:00:00Z', '2026-03-01T00:00'],
    ['30 4 1,15 * *', '2026-03-02T00:00:00Z', '2026-03-15T04:30'],
    ['0 9 * * mon-fri', '2026-03-06T10:00:00Z', '2026-03-09T09:00'],
    ['0 0 13 * 5', '2026-03-01T00:00:00Z', '2026-03-06T00:00'],
    ['0 0 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T00:00'],
    ['@hourly', '2026-03-01T10:07:30Z', '2026-03-01T11:00'],
    // Every second day is some days only, so that the weekday will do as well.
    ['0 0 */2 * 1', '2026-03-01T00:00:00Z', '2026-03-02T00:00'],
    ['@every 1h30m', '2026-03-01T10:07:30Z', '2026-03-01T11:37'],
    ['0 0 * * 7', '2026-03-02T00:00:00Z', '2026-03-08T00:00'],
  ])('%s after %s', (schedule, after, expected) => expect(next(schedule, after)).toBe(expected));

  it('follows the clocks of a time zone', () => {
    // Berlin skips 02:00–03:00 on 29 March 2026 and repeats it on 25 October.
    expect(next('30 2 * * *', '2026-03-28T00:00:00Z', 'Europe/Berlin', 2)).toBe('2026-03-28T01:30 2026-03-30T00:30');
    expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin', 2)).toBe('2026-10-25T00:30 2026-10-26T01:30');
  });

  it('says a time as the clocks of its zone do', () => {
    const at = Date.parse('2026-07-01T10:07:30Z');
    expect(['Europe/Berlin', 'America/St_Johns', 'UTC', undefined].map((zone) => new CronSchedule('@daily', zone).format(at))).toEqual([
      '2026-07-01T12:07:30+02:00',
      '2026-07-01T07:37:30-02:30',
      '2026-07-01T10:07:30Z',
      '2026-07-01T10:07:30Z',
    ]);
  });

  it.each(['* * * *', '60 * * * *', '* * * foo *', '*/0 * * * *', '5-1 * * * *'])('refuses %s', (s) =>
    expect(() => new CronSchedule(s)).toThrow(/invalid cron/),
  );
  it('refuses an unknown time zone', () => expect(() => new CronSchedule('* * * * *', 'Mars/Olympus')).toThrow());
});
