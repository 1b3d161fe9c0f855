import { mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mounts, umountAll } from '@coxswain/linux';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mountSubPath } from './sub-path.js';

let dir: string;
let volume: string;
let target: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sub-path-'));
  volume = join(dir, 'volume');
  target = join(dir, 'subpaths', '0');
  await mkdir(volume);
});
afterEach(async () => {
  await umountAll(dir);
  await rm(dir, { recursive: true });
});

const mounted = async () => (await mounts()).filter(({ mountPoint }) => mountPoint === target).length;

it('stays mounted while it shows the same, as a container restarts', async () => {
  await mountSubPath(volume, 'a/b', target);
  await writeFile(join(volume, 'a/b/kept'), 'x');
  await mountSubPath(volume, 'a/b', target);
  expect([await mounted(), await readFile(join(target, 'kept'), 'utf8')]).toEqual([1, 'x']);
});

it('shows what a link leads to now: a ConfigMap that changed, or a folder where a file was', async () => {
  const publish = async (version: string, write: (path: string) => Promise<void>) => {
    await mkdir(join(volume, version));
    await write(join(volume, version, 'key'));
    await symlink(version, join(volume, '..data_tmp'));
    await rename(join(volume, '..data_tmp'), join(volume, '..data'));
  };
  await symlink('..data/key', join(volume, 'key'));
  await publish('..1', (path) => writeFile(path, 'old'));
  await mountSubPath(volume, 'key', target);
  expect(await readFile(target, 'utf8')).toBe('old');
  await publish('..2', (path) => writeFile(path, 'new'));
  await mountSubPath(volume, 'key', target);
  expect([await mounted(), await readFile(target, 'utf8')]).toEqual([1, 'new']);
  await publish('..3', async (path) => void (await mkdir(path)));
  await mountSubPath(volume, 'key', target);
  expect([await mounted(), (await stat(target)).isDirectory(), await readFile(join(volume, '..2/key'), 'utf8')]).toEqual([1, true, 'new']);
});

it('does not leave its volume', async () => {
  await symlink('/etc', join(volume, 'out'));
  await expect(mountSubPath(volume, 'out', target)).rejects.toThrow(`subpath "out" not within volume path "${volume}"`);
  await expect(mountSubPath(volume, '../x', target)).rejects.toThrow('must be relative');
});
