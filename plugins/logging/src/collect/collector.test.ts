import { silentLogger, systemClock } from '@coxswain/sdk';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogEntry } from '../log-entry.js';
import { LogStore } from '../store/log-store.js';
import { Collector } from './collector.js';
import { Positions } from './positions.js';

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const each of source) out.push(each);
  return out;
}

let dir: string;
const collectors: Collector[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cox-logging-'));
  mkdirSync(join(dir, 'containers'));
  mkdirSync(home(), { recursive: true });
});
afterEach(async () => {
  for (const collector of collectors.splice(0)) await collector.close();
  rmSync(dir, { recursive: true, force: true });
});

const home = () => join(dir, 'pods', 'default_web_0f0f0f0f-0000-4000-8000-000000000000', 'main');
const log = (name = '0.log') => join(home(), name);
const line = (text: string, tag = 'F') => `2026-01-31T12:00:00.000000000Z stdout ${tag} ${text}\n`;
const link = () => symlinkSync(log(), join(dir, 'containers', `web_default_main-${'a'.repeat(64)}.log`));

/** A collector as after a start: what is known is what is on disk. */
function start(): { round: () => Promise<string[]>; crash: () => void; store: LogStore; batches: number[] } {
  const store = new LogStore({ folder: join(dir, 'segments'), retention: { bytes: 1e9, ageMs: 1e12 }, clock: systemClock, logger: silentLogger });
  const positions = new Positions(join(dir, 'positions.json'));
  for (const [id, offset] of store.recover()) if ((positions.get(id)?.offset ?? 0) < offset) positions.set(id, { offset, path: '' });
  let seen: LogEntry[] = [];
  const batches: number[] = [];
  const collector = new Collector({
    folder: join(dir, 'containers'),
    store,
    positions,
    labelsOf: () => ({ app: 'web' }),
    onEntries: (entries) => {
      seen.push(...entries);
      batches.push(entries.length);
    },
    pollMs: 10,
    clock: systemClock,
    logger: silentLogger,
  });
  collectors.push(collector);
  return {
    store,
    batches,
    crash: () => rmSync(join(dir, 'positions.json'), { force: true }),
    async round() {
      seen = [];
      await collector.round();
      return seen.map((e) => e.text);
    },
  };
}

test('new lines are taken once, with where they come from', async () => {
  writeFileSync(log(), line('one'));
  link();
  const { round, store } = start();
  expect(await round()).toEqual(['one']);
  expect(await round()).toEqual([]);
  appendFileSync(log(), line('two').slice(0, -3));
  expect(await round()).toEqual([]);
  appendFileSync(log(), line('two').slice(-3));
  expect(await round()).toEqual(['two']);
  const batches = await all(store.read(0, Number.MAX_SAFE_INTEGER));
  expect(batches.flat()[0]?.source).toEqual({
    namespace: 'default',
    pod: 'web',
    podUid: '0f0f0f0f-0000-4000-8000-000000000000',
    container: 'main',
    labels: { app: 'web' },
  });
});

test('rotation loses nothing and repeats nothing, even in the middle of a partial line', async () => {
  writeFileSync(log(), line('one'));
  link();
  const { round } = start();
  await round();
  appendFileSync(log(), line('two') + line('long ', 'P'));
  renameSync(log(), log('0.log.20260131-120000'));
  writeFileSync(log(), line('line') + line('three'));
  expect(await round()).toEqual(['two', 'long line', 'three']);
  expect(await round()).toEqual([]);
});

test('what was not yet had of a file is taken from its compressed form', async () => {
  writeFileSync(log(), line('one'));
  link();
  const first = start();
  await first.round();
  rmSync(log());
  writeFileSync(log('0.log.20260131-120000.gz'), gzipSync(line('one') + line('two')));
  writeFileSync(log(), line('three'));
  // The position of the plain file names it, as the kubelet's rename would have shown.
  const positions = new Positions(join(dir, 'positions.json'));
  for (const [id, p] of [...positions.entries()]) positions.set(id, { ...p, path: log('0.log.20260131-120000') });
  positions.save();
  const { round } = start();
  expect((await round()).sort()).toEqual(['three', 'two']);
  expect(await round()).toEqual([]);
});

test('a compressed file that is much when it is not is taken in pieces', async () => {
  writeFileSync(log('0.log.20260131-120000.gz'), gzipSync(Array.from({ length: 20_000 }, (_, n) => line(`line ${n} ${'x'.repeat(100)}`)).join('')));
  writeFileSync(log(), '');
  link();
  const { round, batches } = start();
  expect(await round()).toHaveLength(20_000);
  expect(Math.max(...batches)).toBeLessThan(5000);
});

test('a restart goes on where it was, also when only the store survived', async () => {
  writeFileSync(log(), line('one') + line('two'));
  link();
  const first = start();
  await first.round();
  first.crash();
  appendFileSync(log(), line('three'));
  expect(await start().round()).toEqual(['three']);
});

test('lines written just before a container is removed are had', async () => {
  writeFileSync(log(), line('one'));
  link();
  const { round } = start();
  await round();
  appendFileSync(log(), line('last words'));
  rmSync(join(dir, 'containers'), { recursive: true });
  rmSync(home(), { recursive: true });
  expect(await round()).toEqual(['last words']);
});
