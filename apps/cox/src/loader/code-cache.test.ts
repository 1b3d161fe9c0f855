import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Chunks } from './chunks.js';
import { CodeCache } from './code-cache.js';

const require = createRequire(import.meta.url);
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-chunks-'));
  file = join(folder, 'code-cache/up');
  writeFileSync(join(folder, 'a.cjs'), '"use strict";const{twice}=require("./b.cjs");\nexports.six=twice(3);');
  writeFileSync(join(folder, 'b.cjs'), '"use strict";const path=require("node:path");\nexports.twice=(n)=>2*n;exports.path=path;');
});

afterEach(() => rmSync(folder, { recursive: true }));

const chunks = () => new Chunks(folder, new CodeCache(file), require);
const accepted = (name: string) => {
  const cachedData = new CodeCache(file).get(name);
  const source = `(function (exports, require, module, __filename) {${readFileSync(join(folder, name), 'latin1')}\n})`;
  return cachedData && new Script(source, { cachedData }).cachedDataRejected === false;
};

test('a chunk sees what others and what Node export, and is evaluated once', () => {
  const loaded = chunks();
  expect(loaded.load('a.cjs')).toEqual({ six: 6 });
  expect(loaded.load('b.cjs')).toMatchObject({ path: { join } });
  expect(loaded.load('b.cjs')).toBe(loaded.load('b.cjs'));
});

test('the next process finds what was compiled', () => {
  const first = chunks();
  first.load('b.cjs');
  first.keepCode();
  expect(accepted('b.cjs')).toBe(true);
  const second = chunks();
  second.load('a.cjs');
  second.keepCode();
  expect([accepted('a.cjs'), accepted('b.cjs')]).toEqual([true, true]);
  expect(readdirSync(join(folder, 'code-cache'))).toEqual(['up']);
  const bytes = readFileSync(file);
  const third = chunks();
  expect(third.load('a.cjs')).toEqual({ six: 6 });
  third.keepCode();
  // Nothing new: nothing written.
  expect(readFileSync(file)).toEqual(bytes);
});

test('a file that is cut, or has another byte somewhere, is none, and is replaced', () => {
  const first = chunks();
  first.load('a.cjs');
  first.keepCode();
  const whole = readFileSync(file);
  const wrong = Buffer.from(whole);
  wrong.writeUInt8(wrong.readUInt8(whole.length - 9) ^ 1, whole.length - 9);
  for (const bad of [Buffer.alloc(0), whole.subarray(0, 20), whole.subarray(0, whole.length - 8), Buffer.alloc(whole.length), wrong]) {
    writeFileSync(file, bad);
    expect(accepted('a.cjs')).toBeUndefined();
    const next = chunks();
    expect(next.load('a.cjs')).toEqual({ six: 6 });
    next.keepCode();
    expect(accepted('a.cjs')).toBe(true);
  }
});

test('where nothing can be written, nothing is kept and nothing fails', () => {
  writeFileSync(join(folder, 'code-cache'), 'a file where the folder would be');
  const loaded = chunks();
  loaded.load('a.cjs');
  loaded.keepCode();
  expect(accepted('a.cjs')).toBeUndefined();
});

test('a chunk that throws is evaluated again for who asks next', () => {
  writeFileSync(join(folder, 'bad.cjs'), 'throw new Error("not yet");');
  const loaded = chunks();
  expect(() => loaded.load('bad.cjs')).toThrow('not yet');
  expect(() => loaded.load('bad.cjs')).toThrow('not yet');
});

test('what is outside of the bundle is found through links, also right after a pipe was looked at', () => {
  const outside = join(folder, 'store/outside');
  mkdirSync(outside, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(outside, 'index.js'), 'module.exports = __dirname;');
  symlinkSync(outside, join(folder, 'node_modules/outside'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  writeFileSync(join(folder, 'c.cjs'), `require("node:fs").statSync(${JSON.stringify(pipe)});exports.where=require("outside");`);
  const there = createRequire(join(folder, 'x.js'));
  // Fills Node's cache of folders that are no links.
  there.resolve('./a.cjs');
  expect(new Chunks(folder, new CodeCache(file), there).load('c.cjs')).toEqual({ where: outside });
});
