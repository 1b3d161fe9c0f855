import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '@coxswain/sdk';
import { MAX_LINE_BYTES } from '@coxswain/cri-runtime';
import { CriLogFile, copyToLog } from './cri-log.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'log-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([PF]) (.*)$/;

async function logOf(chunks: string[]): Promise<{ stream: string; tag: string; text: string }[]> {
  const log = new CriLogFile(join(dir, 'a/0.log'), systemClock);
  await log.open();
  const source = (async function* () {
    for (const c of chunks) yield Buffer.from(c);
  })();
  await copyToLog(source, 'stderr', log, systemClock, () => {});
  await log.close();
  const lines = (await readFile(join(dir, 'a/0.log'), 'utf8')).split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => {
    const m = LINE.exec(line);
    expect(line).toMatch(LINE);
    return { stream: m![1]!, tag: m![2]!, text: m![3]! };
  });
}

it('writes whole lines, joining chunks, and the last one without a newline', async () => {
  expect(await logOf(['a\nb', 'c\n\nd'])).toEqual(['a', 'bc', '', 'd'].map((text) => ({ stream: 'stderr', tag: text === 'd' ? 'P' : 'F', text })));
});

it('splits long lines into partial ones', async () => {
  const lines = await logOf(['x'.repeat(MAX_LINE_BYTES + 5), 'y\n']);
  expect(lines.map((l) => [l.tag, l.text.length])).toEqual([
    ['P', MAX_LINE_BYTES],
    ['F', 6],
  ]);
});

it('goes on in a new file when reopened, with times that only grow', async () => {
  const path = join(dir, 'x.log');
  const log = new CriLogFile(path, systemClock);
  await log.open();
  await log.write(Buffer.from('one\n'));
  await rename(path, `${path}.1`);
  await log.write(Buffer.from('two\n'));
  await log.reopen();
  await log.write(Buffer.from('three\n'));
  await log.close();
  expect(await readFile(`${path}.1`, 'utf8')).toBe('one\ntwo\n');
  expect(await readFile(path, 'utf8')).toBe('three\n');
  const times = Array.from({ length: 1000 }, () => log.timestamp());
  expect([...times].sort()).toEqual(times);
  expect(new Set(times).size).toBe(1000);
});

it('has what it was given at once, unless more is being written before it', async () => {
  const path = join(dir, 'once.log');
  const log = new CriLogFile(path, systemClock);
  await log.open();
  void log.write(Buffer.from('one\n'));
  expect(readFileSync(path, 'utf8')).toBe('one\n');
  const much = `${'x'.repeat(64 * 1024)}\n`;
  void log.write(Buffer.from(much));
  await log.write(Buffer.from('two\n'));
  expect(readFileSync(path, 'utf8')).toBe(`one\n${much}two\n`);
  await log.close();
});
