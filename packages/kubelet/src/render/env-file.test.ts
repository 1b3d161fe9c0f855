import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envFileKey, valueInEnvFile } from './env-file.js';

describe('valueInEnvFile', () => {
  it.each([
    ["K='v'", 'v'],
    ["# K='no'\n\n  K='a b' # why", 'a b'],
    ["A='1'\nK='two\nlines'\nB", 'two\nlines'],
    ['K=\'$HOME \\n "x"\'', '$HOME \\n "x"'],
    ["K= 'v'", ''],
    ["K=''", ''],
    ["KK='v'", undefined],
    ['', undefined],
  ])('of %j is %j', (text, value) => expect(valueInEnvFile(text, 'K')).toBe(value));

  it.each([
    ['K=v', 'at line 1: value must be enclosed in single quotes'],
    ["A='1'\nK", "at line 2: missing '='"],
    ["='v'", 'at line 1: empty variable name'],
    ["K ='v'", "at line 1: whitespace before '=' is not allowed"],
    ["K='v'x", 'at line 1: unexpected content after closing quote'],
    ["\nK='v\n", 'starting at line 2: unclosed single quote'],
  ])('%j is refused', (text, message) => expect(() => valueInEnvFile(text, 'K')).toThrow(`invalid environment variable format ${message}`));
});

describe('envFileKey', () => {
  let volume: string;
  beforeAll(async () => {
    volume = await mkdtemp(join(tmpdir(), 'env-file-'));
    await writeFile(join(volume, 'env'), `K='v'\nBIG='${'x'.repeat(33 * 1024)}'\n`);
    await writeFile(join(volume, 'bad'), 'K=v\n');
    await writeFile(`${volume}-secret`, "K='of the node'\n");
    await symlink(`${volume}-secret`, join(volume, 'out'));
  });
  afterAll(async () => {
    await rm(volume, { recursive: true });
    await rm(`${volume}-secret`);
  });

  it('reads inside of the volume only', async () => {
    expect(await Promise.all(['env', 'out', 'none'].map((path) => envFileKey(volume, path, 'K')))).toEqual(['v', undefined, undefined]);
  });
  it.each([
    ['bad', 'K', "couldn't parse env file"],
    ['env', 'BIG', 'exceeds maximum size of 32KB'],
    ['env', 'K'.repeat(129), 'exceeds maximum length of 128 characters'],
  ])('%s %s', async (path, key, message) => expect(envFileKey(volume, path, key)).rejects.toThrow(message));
});
