import { silentLogger, systemClock } from '@coxswain/sdk';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogStore } from './log-store.js';
import type { StoredLine } from './segment-codec.js';

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const each of source) out.push(each);
  return out;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-log-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const source = { namespace: 'default', pod: 'web', podUid: 'u', container: 'main', labels: { app: 'web' } };
const stored = (text: string, second: number, resumeAt = 0): StoredLine => ({
  entry: { source, time: new Date(second * 1000).toISOString(), stream: 'stdout', text },
  file: '1:2',
  resumeAt,
});
const store = (bytes = 1e9) => new LogStore({ folder, retention: { bytes, ageMs: 1e15 }, clock: systemClock, logger: silentLogger });
const texts = async (s: LogStore, from = 0, to = Number.MAX_SAFE_INTEGER) => (await all(s.read(from, to))).flat().map((e) => e.text);

test('what was appended is read by time, and is there after a crash that cut the last line', async () => {
  const first = store();
  first.recover();
  first.append([stored('one', 1, 10), stored('two', 2, 20)]);
  first.flush();
  expect(await texts(first, 1500)).toEqual(['two']);
  appendFileSync(join(folder, readdirSync(folder)[0] as string), '[0,"2026');
  const second = store();
  expect([...second.recover()]).toEqual([['1:2', 20]]);
  expect(await texts(second)).toEqual(['one', 'two']);
  second.append([stored('three', 3)]);
  await second.close();
  expect(readdirSync(folder).some((name) => name.endsWith('.gz'))).toBe(true);
  const third = store();
  third.recover();
  expect((await texts(third)).sort()).toEqual(['one', 'three', 'two']);
});

test('beyond the limit the oldest segments go', async () => {
  const limited = new LogStore({ folder, retention: { bytes: 6000, ageMs: 1e15 }, segmentBytes: 2000, clock: systemClock, logger: silentLogger });
  limited.recover();
  // Noise does not compress.
  for (let i = 1; i <= 60; i++) limited.append([stored(randomBytes(300).toString('base64'), i)]);
  await limited.close();
  expect(limited.bytes).toBeLessThanOrEqual(6000);
  const found = await all(limited.read(0, Number.MAX_SAFE_INTEGER));
  const seconds = found.flat().map(({ time }) => Date.parse(time) / 1000);
  expect(seconds.length).toBeGreaterThan(5);
  expect(seconds).toEqual(Array.from({ length: seconds.length }, (_, i) => 60 - seconds.length + 1 + i));
});
