const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly { readonly low: number; readonly high: number; readonly names?: readonly string[] }[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: MONTHS },
  { low: 0, high: 6, names: DAYS },
];

/** Whether the text is a schedule cron jobs take: five fields with `*`, `?`, ranges, steps and names, or a macro such as `@daily`. */
export function isSchedule(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) {
    return /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(trimmed) || /^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(trimmed);
  }
  const fields = trimmed.split(/\s+/);
  return fields.length === FIELDS.length && fields.every((field, index) => field.split(',').every((part) => isPart(part, index)));
}

function isPart(part: string, index: number): boolean {
  const { low, high, names } = FIELDS[index] as (typeof FIELDS)[number];
  const [range = '', step, ...rest] = part.split('/');
  if (rest.length > 0 || (step !== undefined && !(/^\d+$/.test(step) && Number(step) > 0))) return false;
  if (range === '*' || range === '?') return true;
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return false;
  const value = (text: string): number => {
    const named = names?.indexOf(text.toLowerCase()) ?? -1;
    if (named >= 0) return named + (names === MONTHS ? 1 : 0);
    return /^\d+$/.test(text) ? Number(text) : Number.NaN;
  };
  const first = value(from);
  const last = to === undefined ? first : value(to);
  return first >= low && last <= high && first <= last;
}
