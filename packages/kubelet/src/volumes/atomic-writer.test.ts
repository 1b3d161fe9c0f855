import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomically } from './atomic-writer.js';

const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode });

describe('writeAtomically', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'aw-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('lets a group read, and no more, whatever the mode says', async () => {
    const gid = process.getgid?.() ?? 0;
    await writeAtomically(
      dir,
      new Map([
        ['open', file('1')],
        ['narrow', file('2', 0o400)],
      ]),
      { stamp: '1', gid },
    );
    const mode = async (name: string) => (await stat(join(dir, name))).mode & 0o777;
    expect([await mode('open'), await mode('narrow')]).toEqual([0o644, 0o440]);
    const root = await stat(dir);
    expect([root.mode & 0o7777, root.gid]).toEqual([0o2777, gid]);
  });

  it('shows files through ..data and swaps them together', async () => {
    expect(
      writeAtomically(
        dir,
        new Map([
          ['a', file('1')],
          ['sub/b', file('2', 0o400)],
        ]),
        { stamp: '1' },
      ),
    ).toBe(true);
    expect((await readdir(dir)).sort()).toEqual(['..1', '..data', 'a', 'sub']);
    expect((await stat(dir)).mode & 0o7777).toBe(0o777);
    expect(await readlink(join(dir, 'a'))).toBe('..data/a');
    expect((await stat(join(dir, 'sub/b'))).mode & 0o777).toBe(0o400);
    expect(
      writeAtomically(
        dir,
        new Map([
          ['a', file('1')],
          ['sub/b', file('2', 0o400)],
        ]),
        { stamp: '2' },
      ),
    ).toBe(false);
    expect(writeAtomically(dir, new Map([['c', file('3')]]), { stamp: '3' })).toBe(true);
    expect((await readdir(dir)).sort()).toEqual(['..3', '..data', 'c']);
    expect(await readFile(join(dir, 'c'), 'utf8')).toBe('3');
  });

  it('refuses to leave its folder', async () => {
    for (const bad of ['../x', '/x', 'a/../../x', '..x', ''])
      expect(() => writeAtomically(dir, new Map([[bad, file('')]]), { stamp: '1' })).toThrow('invalid path');
  });
});
