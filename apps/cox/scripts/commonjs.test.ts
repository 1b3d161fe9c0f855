import { expect, test } from 'vitest';
// @ts-expect-error: a script of the build, without types
import { commonJs } from './commonjs.mjs';

const convert = commonJs as (text: string, name: string) => string;

test('imports become constants, the list of exports assignments; the rest keeps its column, a line further down', () => {
  const text =
    'import{a,b as c}from"./b.cjs";import d,{e}from"node:fs";import*as f from"lmdb";import"./g.cjs";import h from"./h.cjs";var x=a;\nexport{x,c as y};';
  const [head, first, second] = convert(text, 'a.cjs').split('\n');
  expect(head).toBe(
    '"use strict";const{a,b:c}=require("./b.cjs");const d=require("node:fs");const{e}=require("node:fs");const f=require("lmdb");require("./g.cjs");const{default:h}=require("./h.cjs");',
  );
  expect(first).toBe(`${' '.repeat(text.indexOf('var x'))}var x=a;`);
  expect(second).toBe('exports.x=x;exports.y=c;');
});

test('lazy imports and the URL of the file keep working, at their columns', () => {
  const text = 'var a=()=>import("./b.cjs"),u=import.meta.url;export{a};';
  const [head, body] = convert(text, 'a.cjs').split('\n');
  expect(head).toBe('"use strict";const lazily=async specifier=>require(specifier);const __this_file_url=require("node:url").pathToFileURL(__filename).href;');
  expect(body).toBe('var a=()=>lazily("./b.cjs"),u=__this_file_url;exports.a=a;');
});

test('what would not mean the same is refused', () => {
  expect(() => convert('var a=1;function set(){a=2}export{a,set};', 'a.cjs')).toThrow('a.cjs exports a and sets it later');
  expect(() => convert('export const a=1;', 'a.cjs')).toThrow('which commonjs.mjs does not know');
  expect(() => convert('export*from"./b.cjs";', 'a.cjs')).toThrow('which commonjs.mjs does not know');
  expect(() => convert('var a=import.meta.dirname;', 'a.cjs')).toThrow('no more of import.meta');
});
