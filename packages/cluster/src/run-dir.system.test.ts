import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mounts, umountAll } from '@coxswain/linux';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unmountAll } from './leftovers.js';
import { resolveClusterSpec } from './resolve-spec.js';
import { prepareRunDir } from './run-dir.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cox-run-dir-'));
});
afterEach(async () => {
  await umountAll(dir);
  await rm(dir, { recursive: true });
});

const cluster = () => resolveClusterSpec({ name: 'run-dir', stateDir: join(dir, 'state'), runDir: join(dir, 'run') });
const mounted = async () => (await mounts()).filter(({ mountPoint }) => mountPoint.startsWith(dir)).map(({ type }) => type);

it('is in memory, made once, and goes with what the cluster has mounted', async () => {
  const config = cluster();
  await prepareRunDir(config);
  await writeFile(join(config.paths.run, 'pid'), '1');
  await prepareRunDir(config);
  expect(await mounted()).toEqual(['tmpfs']);
  expect((await stat(config.paths.run)).mode & 0o777).toBe(0o711);
  await unmountAll(config);
  expect(await mounted()).toEqual([]);
});

it('does not hide what a cluster already has there', async () => {
  const config = cluster();
  await mkdir(config.paths.run, { recursive: true });
  await writeFile(join(config.paths.run, 'pid'), '1');
  await prepareRunDir(config);
  expect(await mounted()).toEqual([]);
});
