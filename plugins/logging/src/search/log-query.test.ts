import { expect, test } from 'vitest';
import type { LogEntry } from '../log-entry.js';
import { parseDuration, parseQuery } from './log-query.js';
import { select } from './search.js';

const entry = (text: string, over: Partial<LogEntry['source']> = {}): LogEntry => ({
  source: { namespace: 'default', pod: 'web', podUid: 'u', container: 'main', labels: { app: 'web' }, ...over },
  time: '2026-01-31T12:00:00Z',
  stream: 'stdout',
  text,
});
const query = (text: string, namespace?: string) => parseQuery(namespace, new URLSearchParams(text), 1_000_000);

test('selects by labels, namespace, container and pattern together', () => {
  const entries = [entry('error one'), entry('fine'), entry('error two', { container: 'side' }), entry('error three', { labels: { app: 'db' } })];
  expect(select(query('labelSelector=app=web&container=main&grep=error'), entries).map((e) => e.text)).toEqual(['error one']);
  expect(select(query('grep=^error (one|two)$'.replaceAll('+', '%2B')), entries).map((e) => e.text)).toEqual(['error one', 'error two']);
  expect(select(query('', 'other'), entries)).toEqual([]);
});

test('durations and what is wrong with a question', () => {
  expect(parseDuration('since', '1h30m')).toBe(5_400_000);
  expect(query('since=10s').from).toBe(990_000);
  expect(() => query('since=soon')).toThrow('since "soon" is not a duration');
  expect(() => query('grep=(')).toThrow('grep "("');
  expect(() => query('limit=0')).toThrow('limit "0"');
  expect(() => query('labelSelector=a=b=c')).toThrow('labelSelector');
  expect(() => query('gerp=x')).toThrow('unknown parameter "gerp"');
});

test('a pattern that would take for ever is stopped', () => {
  expect(() => select(query('grep=(a%2B)%2B%24'), [entry(`${'a'.repeat(60)}!`)])).toThrow('takes too long');
});
