import { parseDuration } from '@coxswain/apimachinery';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const DAY_MS = 86_400_000;
const HORIZON_DAYS = 5 * 366;

function field(text: string, min: number, max: number, names: readonly string[] = []): ReadonlySet<number> {
  const value = (s: string): number => {
    const named = names.indexOf(s.toLowerCase());
    const n = named >= 0 ? named + min : /^\d+$/.test(s) ? Number(s) : Number.NaN;
    if (!(n >= min && n <= max)) throw new Error(`invalid cron field ${JSON.stringify(text)}: ${JSON.stringify(s)} is not within ${min}-${max}`);
    return n;
  };
  const out = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/');
    const every = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(every) || every < 1) throw new Error(`invalid cron field ${JSON.stringify(text)}: bad step ${JSON.stringify(step)}`);
    const [a = '', b] = range.split('-');
    const from = a === '*' || a === '?' ? min : value(a);
    const to = a === '*' || a === '?' ? max : b !== undefined ? value(b) : step !== undefined ? max : from;
    if (from > to) throw new Error(`invalid cron field ${JSON.stringify(text)}: ${from} is after ${to}`);
    for (let n = from; n <= to; n += every) out.add(n);
  }
  return out;
}

/** Of the days: whatever has a star that leaves nothing out, as one with a step does. */
const unrestricted = (text: string): boolean => text.split(',').some((part) => /^[*?](\/1)?$/.test(part));

/** Milliseconds of `@every 1h30m`, whole seconds, one at least; undefined: the text is none. */
function interval(text: string): number | undefined {
  const spans = /^@every ((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text)?.[1];
  const total = spans === undefined ? undefined : parseDuration(spans);
  return total === undefined ? undefined : Math.max(1, Math.floor(total / 1000)) * 1000;
}

/** A cron schedule in a time zone. Times that a change of clocks leaves out do not happen; doubled ones happen once. */
export class CronSchedule {
  readonly #minutes: readonly number[] = [];
  readonly #hours: readonly number[] = [];
  readonly #days: ReadonlySet<number> = new Set();
  readonly #months: ReadonlySet<number> = new Set();
  readonly #weekdays: ReadonlySet<number> = new Set();
  /** When both kinds of day are restricted, either will do. */
  readonly #eitherDay: boolean = false;
  /** `@every …`: so many milliseconds after the last time, whatever the clock says. */
  readonly #every: number | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;

  /** Throws for what is no schedule, or no time zone. */
  constructor(text: string, timeZone?: string) {
    this.#every = interval(text.trim());
    if (this.#every !== undefined) return;
    const parts = (MACROS[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
    if (parts.length !== 5) throw new Error(`invalid cron schedule ${JSON.stringify(text)}: expected 5 fields, got ${parts.length}`);
    const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
    const sorted = (s: ReadonlySet<number>) => [...s].sort((a, b) => a - b);
    this.#minutes = sorted(field(minute, 0, 59));
    this.#hours = sorted(field(hour, 0, 23));
    this.#days = field(day, 1, 31);
    this.#months = field(month, 1, 12, MONTHS);
    this.#weekdays = new Set([...field(weekday.replace(/\b7\b/g, '0'), 0, 6, DAYS)]);
    this.#eitherDay = !unrestricted(day) && !unrestricted(weekday);
    if (timeZone !== undefined && timeZone !== 'UTC' && timeZone !== 'Etc/UTC') {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    }
  }

  /** The first time after `after` (milliseconds since the epoch); undefined: there is none within five years. */
  next(after: number): number | undefined {
    if (this.#every !== undefined) return Math.floor(after / 1000) * 1000 + this.#every;
    const local = after + this.#offset(after);
    let day = Math.floor(local / DAY_MS) * DAY_MS;
    for (let i = 0; i < HORIZON_DAYS; i++, day += DAY_MS) {
      if (!this.#onDay(new Date(day))) continue;
      for (const h of this.#hours) {
        for (const m of this.#minutes) {
          const wall = day + h * 3_600_000 + m * 60_000;
          const at = this.#toUtc(wall);
          if (at !== undefined && at > after) return at;
        }
      }
    }
    return undefined;
  }

  /** The time as the clocks of the schedule's zone show it: RFC 3339, with what they are ahead of UTC. */
  format(at: number): string {
    const seconds = Math.floor(at / 1000) * 1000;
    const offset = this.#offset(seconds);
    const local = new Date(seconds + offset).toISOString().slice(0, 19);
    if (offset === 0) return `${local}Z`;
    const minutes = Math.abs(offset) / 60_000;
    const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
    return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
  }

  #onDay(d: Date): boolean {
    if (!this.#months.has(d.getUTCMonth() + 1)) return false;
    const byDay = this.#days.has(d.getUTCDate());
    const byWeekday = this.#weekdays.has(d.getUTCDay());
    return this.#eitherDay ? byDay || byWeekday : byDay && byWeekday;
  }

  /** What has to be added to UTC to get local time. */
  #offset(at: number): number {
    if (!this.#format) return 0;
    const p: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(at)) p[type] = Number(value);
    const wall = Date.UTC(p.year as number, (p.month as number) - 1, p.day, p.hour, p.minute, p.second);
    return wall - Math.floor(at / 1000) * 1000;
  }

  #toUtc(wall: number): number | undefined {
    if (!this.#format) return wall;
    for (const guess of [wall - this.#offset(wall - DAY_MS / 2), wall - this.#offset(wall + DAY_MS / 2)])
      if (guess + this.#offset(guess) === wall) return guess;
    return undefined;
  }
}
