import { parseLabelSelector } from '@coxswain/apimachinery';
import type { LogEntry } from '../log-entry.js';
import { QueryError } from './query-error.js';
import { matcherOf, type TextMatcher } from './text-matcher.js';

/** What is looked for. */
export interface LogQuery {
  readonly namespace: string | undefined;
  readonly selects: (entry: LogEntry) => boolean;
  readonly matches: TextMatcher;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** The newest so many. */
  readonly limit: number;
  readonly follow: boolean;
}

const KNOWN = new Set(['labelSelector', 'pod', 'container', 'since', 'sinceTime', 'untilTime', 'grep', 'limit', 'follow', 'local', 'stream']);
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DEFAULT_LIMIT = 1000;
const MOST = 100_000;

/** Throws `QueryError` with the parameter that is wrong. */
export function parseQuery(namespace: string | undefined, params: URLSearchParams, now: number): LogQuery {
  for (const key of params.keys()) if (!KNOWN.has(key)) throw new QueryError(`unknown parameter "${key}"; known are: ${[...KNOWN].join(', ')}`);
  const text = (key: string) => params.get(key) || undefined;
  const [pod, container, stream] = [text('pod'), text('container'), text('stream')];
  if (stream !== undefined && stream !== 'stdout' && stream !== 'stderr') throw new QueryError(`stream "${stream}" is neither stdout nor stderr`);
  const labels = selectorOf(text('labelSelector'));
  const since = text('since');
  const sinceTime = timeOf('sinceTime', text('sinceTime'));
  return {
    namespace,
    selects: ({ source, stream: s }) =>
      (namespace === undefined || source.namespace === namespace) &&
      (pod === undefined || source.pod === pod) &&
      (container === undefined || source.container === container) &&
      (stream === undefined || s === stream) &&
      (labels === undefined || labels(source.labels)),
    matches: matcherOf(text('grep')),
    from: sinceTime ?? (since === undefined ? 0 : now - parseDuration('since', since)),
    to: timeOf('untilTime', text('untilTime')) ?? Number.MAX_SAFE_INTEGER,
    limit: limitOf(text('limit')),
    follow: params.get('follow') === 'true',
  };
}

function selectorOf(text: string | undefined): ((labels: Readonly<Record<string, string>>) => boolean) | undefined {
  if (text === undefined) return undefined;
  try {
    const selector = parseLabelSelector(text);
    return (labels) => selector.matches(labels);
  } catch (error) {
    throw new QueryError(`labelSelector "${text}": ${(error as Error).message}`);
  }
}

/** `90s`, `10m`, `1h30m`, `2d`: milliseconds. */
export function parseDuration(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)];
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text) throw new QueryError(`${name} "${text}" is not a duration such as 90s, 10m or 1h30m`);
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNITS[unit as string] as number), 0);
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new QueryError(`${name} "${text}" is not a time such as 2026-01-31T12:00:00Z`);
  return at;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw new QueryError(`limit "${text}" is not a number from 1 to ${MOST}`);
  return limit;
}
