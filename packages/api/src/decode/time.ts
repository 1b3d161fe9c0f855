import { remembered } from '../util/remembered.js';

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 in UTC, in whole seconds, or with six digits for micro times; undefined for anything else. */
export function canonicalTime(text: string, micro: boolean): string | undefined {
  return micro ? canonical(text, true) : inSeconds(text);
}

/** Of an object that is written again, and of all that were written in the same second. */
const inSeconds = remembered(1000, (text) => canonical(text, false));

function canonical(text: string, micro: boolean): string | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, base = '', fraction = '', zone = 'Z'] = match;
  const seconds = zone === 'Z' && isCalendarTime(base) ? `${base}Z` : inUtc(base, zone);
  if (seconds === undefined || !micro) return seconds;
  return `${seconds.slice(0, -1)}.${fraction.slice(1, 7).padEnd(6, '0')}Z`;
}

function inUtc(base: string, zone: string): string | undefined {
  const time = Date.parse(`${base}${zone}`);
  return Number.isNaN(time) || !isCalendarTime(base) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** Refuses 30 February, which Date would move into March. */
function isCalendarTime(base: string): boolean {
  const time = Date.parse(`${base}Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(base);
}
