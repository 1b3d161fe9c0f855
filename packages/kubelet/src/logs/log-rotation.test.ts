import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { RuntimeServiceClient } from '@coxswain/cri';
import { type Clock, silentLogger, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PodCache } from '../pod/pod-cache.js';
import { LogRotation } from './log-rotation.js';

let folder: string;
let log: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-rotation-'));
  log = join(folder, '0.log');
  now = Date.UTC(2026, 0, 1);
});
afterEach(() => rmSync(folder, { recursive: true }));

function rotation(compress?: (from: string, to: string) => Promise<void>): LogRotation {
  const clock: Clock = { ...systemClock, now: () => (now += 1000) };
  const runtime = { reopenContainerLog: async () => writeFileSync(log, '') } as unknown as RuntimeServiceClient;
  const containers = [{ id: 'c', phase: 'running', logPath: log }];
  const cache = { uids: () => ['u'], get: () => ({ containers }) } as unknown as PodCache;
  return new LogRotation(runtime, cache, clock, silentLogger, { maxSizeBytes: 10, maxFiles: 4, periodMs: 1 }, compress);
}
const names = () => readdirSync(folder).sort();

test('the newest rotated file stays plain, older ones are compressed, the oldest go', async () => {
  const rotating = rotation();
  for (let n = 0; n < 6; n++) {
    writeFileSync(log, `log number ${n}`);
    await rotating.rotateAll();
    await expect.poll(() => names().filter((name) => !name.endsWith('.gz'))).toHaveLength(2);
  }
  expect(names()).toEqual(['0.log', '0.log.20260101-000004.gz', '0.log.20260101-000005.gz', '0.log.20260101-000006']);
  expect(gunzipSync(readFileSync(join(folder, '0.log.20260101-000005.gz'))).toString()).toBe('log number 4');
  writeFileSync(log, 'small');
  await rotating.rotateAll();
  expect(readFileSync(log, 'utf8')).toBe('small');
});

test('who writes faster than logs are compressed is rotated all the same, and has no more files', async () => {
  const ends: (() => void)[] = [];
  const rotating = rotation(async (from, to) => {
    writeFileSync(to, from);
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  for (let n = 0; n < 8; n++) {
    writeFileSync(log, `log number ${n}`);
    await rotating.rotateAll();
    expect(names().filter((name) => !name.endsWith('.tmp')).length).toBeLessThanOrEqual(4);
  }
  await expect.poll(() => ends.length).toBe(1);
  // What it was compressing is gone by now, and does not come back.
  ends[0]?.();
  await expect.poll(() => names().some((name) => name.endsWith('.tmp'))).toBe(false);
  expect(names()).toEqual(['0.log', '0.log.20260101-000006', '0.log.20260101-000007', '0.log.20260101-000008']);
  expect(existsSync(log)).toBe(true);
});
