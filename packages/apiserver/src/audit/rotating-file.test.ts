import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { RotatingFile } from './rotating-file.js';
import type { RotatingFileOptions } from './rotating-file.js';

const parent = mkdtempSync(join(tmpdir(), 'rotating-file-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const START = Date.parse('2026-11-30T09:25:00Z');
const DAY = 24 * 3_600_000;
let n = 0;

function make(options: Partial<RotatingFileOptions> = {}) {
  const folder = join(parent, String(n++));
  const errors: unknown[] = [];
  let now = START;
  const all = { path: join(folder, 'audit.log'), maxSizeBytes: 10, maxBackups: 0, maxAgeMs: 0, compress: false, ...options };
  const file = new RotatingFile({ ...all, now: () => now, onError: (error) => errors.push(error) });
  return { folder, file, errors, tick: (ms: number) => (now += ms), all, names: () => readdirSync(folder).sort() };
}

it('puts a full file aside under the time, and loses no line', async () => {
  const { folder, file, tick, names, errors } = make();
  for (const line of ['one\n', 'two\n', 'three\n', 'a line longer than the limit\n', 'five\n']) {
    file.write(line);
    tick(1000);
  }
  await file.settled();
  expect(errors).toEqual([]);
  expect(names()).toEqual(['audit-2026-11-30T09-25-02.000.log', 'audit-2026-11-30T09-25-03.000.log', 'audit-2026-11-30T09-25-04.000.log', 'audit.log']);
  expect(
    names()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join(''),
  ).toBe('one\ntwo\nthree\na line longer than the limit\nfive\n');
});

it('goes on with the file that is there', () => {
  const { all, file, folder, names } = make();
  file.write('before\n');
  new RotatingFile({ ...all, now: () => START, onError: () => {} }).write('after\n');
  expect(names()).toEqual(['audit-2026-11-30T09-25-00.000.log', 'audit.log']);
  expect(readFileSync(join(folder, 'audit.log'), 'utf8')).toBe('after\n');
});

it('keeps so many, and for so long', async () => {
  const few = make({ maxBackups: 2 });
  for (let i = 0; i < 6; i++) few.file.write(`${i} long enough\n`);
  await few.file.settled();
  expect(few.names()).toEqual(['audit-2026-11-30T09-25-00.003.log', 'audit-2026-11-30T09-25-00.004.log', 'audit.log']);

  const young = make({ maxAgeMs: DAY });
  young.file.write('long enough one\n');
  young.file.write('long enough two\n');
  // Not its own.
  writeFileSync(join(young.folder, 'audit-notes.log'), 'mine');
  young.tick(2 * DAY);
  young.file.write('long enough three\n');
  await young.file.settled();
  expect(young.names()).toEqual(['audit-2026-12-02T09-25-00.000.log', 'audit-notes.log', 'audit.log']);
});

it('compresses what it puts aside', async () => {
  const { file, folder, names } = make({ compress: true });
  file.write('long enough one\n');
  file.write('long enough two\n');
  await file.settled();
  expect(names()).toEqual(['audit-2026-11-30T09-25-00.000.log.gz', 'audit.log']);
  expect(gunzipSync(readFileSync(join(folder, names()[0] as string))).toString()).toBe('long enough one\n');
});

it('tells of a file that cannot be written, and tries again', () => {
  const { file, folder, errors, all } = make();
  file.write('a\n');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  file.write('too long for what is left\n');
  expect(errors).toHaveLength(1);
  rmSync(folder);
  file.write('again\n');
  chmodSync(all.path, 0o600);
  expect(readFileSync(all.path, 'utf8')).toBe('again\n');
});
