import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Logger, silentLogger, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ContainerRecord, createdStatus, newContainer } from './container-record.js';
import { StatusFiles } from './status-files.js';

let root: string;
let timers: { run: () => void; ms: number }[];
let said: string[];
let files: StatusFiles;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'status-files-'));
  timers = [];
  said = [];
  const clock: Clock = {
    ...systemClock,
    setTimeout: (run, ms) => {
      const timer = { run, ms };
      timers.push(timer);
      return () => void (timers = timers.filter((t) => t !== timer));
    },
  };
  const logger: Logger = { ...silentLogger, error: (message: string) => void said.push(message) };
  files = new StatusFiles(root, clock, logger);
});
afterEach(() => {
  files.close();
  rmSync(root, { recursive: true });
});

const container = (): ContainerRecord =>
  newContainer({ id: 'c', createdAt: 0n } as ContainerRecord['meta'], { ...createdStatus(), state: 'exited', exitCode: 3 });
const fire = async () => {
  timers.shift()?.run();
  await new Promise(setImmediate);
};

test('what happened is written as soon as it can be, and each failure is told', async () => {
  const record = container();
  // No folder to write into.
  await files.keep(record);
  await fire();
  expect(said).toHaveLength(2);
  expect(timers.map((t) => t.ms)).toEqual([2000]);
  await files.make('c');
  record.status.reason = 'Error';
  await fire();
  expect(timers).toEqual([]);
  expect(await files.load('c')).toEqual(record.status);
});

test('a later status takes the place of one that waits to be written', async () => {
  const record = container();
  await files.keep(record);
  await files.make('c');
  await files.keep(record);
  expect(timers).toEqual([]);
});

test('nothing is written for a container that is gone, or after the end', async () => {
  await files.keep(container());
  await files.remove('c');
  expect(timers).toEqual([]);
  await files.keep(container());
  files.close();
  expect(timers).toEqual([]);
  await files.keep(container());
  expect(timers).toEqual([]);
});

test('what may still be refused fails', async () => {
  await expect(files.save(container())).rejects.toMatchObject({ code: 'ENOENT' });
});

test('folders of containers that are gone go', async () => {
  await files.make('here');
  await files.make('gone');
  await files.keepOnly(new Map([['here', 1]]));
  expect(readdirSync(root)).toEqual(['here']);
});
