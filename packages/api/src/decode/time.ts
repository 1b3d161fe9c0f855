import { remembered } from '../util/remembered.js';

const SECONDS = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const MICROS = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{6})(Z|[+-]\d{2}:\d{2})$/;
const LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';

/** RFC 3339 in UTC, in whole seconds, or, for micro times, of which exactly six digits are read, with these; undefined for anything else. */
export function canonicalTime(text: string, micro: boolean): string | undefined {
  return micro ? inMicros(text) : inSeconds(text);
}

/** Of an object that is written again, and of all that were written in the same second. */
const inSeconds = remembered(1000, (text) => {
  const [, base = '', zone = 'Z'] = SECONDS.exec(text) ?? [];
  return base === '' ? undefined : inUtc(base, zone);
});

function inMicros(text: string): string | undefined {
  const [, base = '', fraction = '', zone = 'Z'] = MICROS.exec(text) ?? [];
  const seconds = base === '' ? undefined : inUtc(base, zone);
  return seconds && `${seconds.slice(0, -1)}${fraction}Z`;
}

function inUtc(base: string, zone: string): string | undefined {
  if (!isCalendarTime(base)) return undefined;
  if (zone === 'Z') return `${base}Z`;
  const time = Date.parse(`${base}${zone}`);
  return Number.isNaN(time) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** Refuses 30 February, which Date would move into March. */
function isCalendarTime(base: string): boolean {
  const time = Date.parse(`${base}Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(base);
}

/** Elements of the layout, what text each takes, and what its value may be. */
const ELEMENTS: readonly (readonly [element: string, takes: RegExp, what?: string, least?: number, most?: number])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/, 'month', 1, 12],
  ['-', /^-/],
  ['02', /^\d{2}/, 'day', 1, 31],
  ['T', /^T/],
  ['15', /^\d{2}/, 'hour', 0, 23],
  [':', /^:/],
  ['04', /^\d{2}/, 'minute', 0, 59],
  [':', /^:/],
  ['05', /^\d{2}/, 'second', 0, 59],
];
const ZONE = /^(Z|[+-]\d{2}:\d{2})/;

/** Why a text is no time, in the words of upstream's parser. */
export function timeProblem(text: string, micro: boolean): string {
  const layout = micro ? MICRO_LAYOUT : LAYOUT;
  const about = `parsing time ${JSON.stringify(text)}`;
  const stuck = (rest: string, element: string) => `${about} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
  let rest = text;
  for (const [element, takes, what, least = 0, most = 0] of ELEMENTS) {
    const taken = takes.exec(rest)?.[0];
    if (taken === undefined) return stuck(rest, element);
    if (what && (Number(taken) < least || Number(taken) > most)) return `${about}: ${what} out of range`;
    rest = rest.slice(taken.length);
  }
  const fraction = (micro ? /^\.\d{6}/ : /^(\.\d+)?/).exec(rest)?.[0];
  if (fraction === undefined) return stuck(rest, '.000000');
  rest = rest.slice(fraction.length);
  const zone = ZONE.exec(rest)?.[0];
  if (zone === undefined) return stuck(rest, 'Z07:00');
  rest = rest.slice(zone.length);
  // What is left to be wrong is the length of the month.
  return rest === '' ? `${about}: day out of range` : `${about}: extra text: ${JSON.stringify(rest)}`;
}
