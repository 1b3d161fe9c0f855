import type { KubeObject } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import type { JsonSchema, ValidationRule } from '../json-schema.js';
import { checkRules } from './check-rules.js';
import { escapeName, unescapeName } from '@coxswain/cel';
import { ruleCheckOf } from './rule-check.js';

const string: JsonSchema = { type: 'string', maxLength: 20 };
const spec = (...rules: (string | ValidationRule)[]): JsonSchema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
      properties: {
        min: { type: 'integer' },
        max: { type: 'integer' },
        name: string,
        list: { type: 'array', items: string, maxItems: 5 },
        long: { type: 'array', items: { type: 'string' } },
        when: { type: 'string', format: 'date-time' },
        'odd-name': string,
        map: { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 3 },
      },
    },
  },
});
const object = (value: object): KubeObject => ({ apiVersion: 'a/v1', kind: 'A', metadata: { name: 'a' }, spec: value });
const messages = (schema: JsonSchema, now: object, old?: object): string[] =>
  (ruleCheckOf(schema)?.(object(now), old && object(old)) ?? []).map(({ field, message }) => `${field}: ${message}`);

describe('validation rules', () => {
  it.each([
    ['self.min <= self.max', { min: 1, max: 2 }, true],
    ['self.min <= self.max', { min: 3, max: 2 }, false],
    ["!has(self.name) || self.name.startsWith('a')", {}, true],
    ["self.__odd__dash__name == 'x' || self.odd__dash__name == 'x'", { 'odd-name': 'x' }, true],
    ["self.list.exists(x, x == 'b') && size(self.list) == 2", { list: ['a', 'b'] }, true],
    ['self.map.all(k, self.map[k] > 1)', { map: { a: 2, b: 1 } }, false],
    ["self.when > timestamp('2020-01-01T00:00:00Z')", { when: '2024-05-06T07:08:09Z' }, true],
    ["self.?name.orValue('x') == 'x'", {}, true],
  ])('%s', (rule, value, holds) => {
    expect(messages(spec(rule), value).length === 0).toBe(holds);
  });

  it('name their message, reason and field', () => {
    const rule = {
      rule: 'self.min <= self.max',
      messageExpression: "'min ' + string(self.min) + ' is too large'",
      reason: 'FieldValueForbidden',
      fieldPath: '.min',
    } as const;
    expect(messages(spec(rule), { min: 3, max: 2 })).toEqual(['spec.min: Forbidden: min 3 is too large']);
    expect(messages(spec('self.min < 0'), { min: 3 })).toEqual(['spec: Invalid value: "object": failed rule: self.min < 0']);
  });

  it('that look at the past need one, unless they say otherwise', () => {
    const immutable = spec({ rule: 'self.name == oldSelf.name', message: 'name is immutable' });
    expect(messages(immutable, { name: 'a' })).toEqual([]);
    expect(messages(immutable, { name: 'a' }, { name: 'b' })).toEqual(['spec: Invalid value: "object": name is immutable']);
    const optional = spec({ rule: "oldSelf.hasValue() || self.name == 'first'", optionalOldSelf: true });
    expect(messages(optional, { name: 'first' })).toEqual([]);
    expect(messages(optional, { name: 'other' })).toHaveLength(1);
  });

  it('do not hold against an object what was there before', () => {
    expect(messages(spec('self.min < 0'), { min: 3 }, { min: 3 })).toEqual([]);
  });

  it('that run away are stopped', () => {
    const long = Array.from({ length: 5000 }, (_, i) => `v${i}`);
    expect(messages(spec("self.long.all(x, !self.long.exists(y, y == 'none'))"), { long })[0]).toContain('call cost exceeds limit');
  });
});

describe('checks of rules', () => {
  it.each([
    ['self.nothing == 1', "undefined field 'nothing'"],
    ['self.min >', 'Syntax error'],
    ['unknown(self.min)', "undeclared reference to 'unknown'"],
    ['self.min + 1', 'cel expression must evaluate to a bool'],
    ["self.long.all(x, x.contains('a'))", 'estimated rule cost exceeds budget by factor of more than 100x'],
    ['self.min.all(x, x > 1)', 'cannot be range of a comprehension'],
  ])('%s', (rule, text) => {
    expect(
      checkRules(spec(rule), 'schema')
        .map(({ message }) => message)
        .join('\n'),
    ).toContain(text);
  });

  it('let bounded rules pass', () => {
    expect(checkRules(spec('self.list.all(x, self.list.exists_one(y, x == y))', "self.metadata.name == 'x' || true"), 'schema')).toHaveLength(1);
    expect(checkRules(spec("self.list.all(x, x.matches('^a+$'))"), 'schema')).toEqual([]);
  });

  it('escape names both ways', () => {
    for (const name of ['namespace', 'a-b', 'a.b', 'x/y', 'a__b', 'plain']) expect(unescapeName(escapeName(name) as string)).toBe(name);
    expect(escapeName('ä')).toBeUndefined();
  });
});

describe('the types of a rule', () => {
  const problems = (rule: string, more: object = {}) =>
    checkRules(spec({ rule, ...more }), 'x').map(({ message }) => message.replace(/^Invalid value: \{.*?\}: /, '').split('\n')[0]);
  it.each([
    ["self.min == 'x'", "compilation failed: ERROR: <input>:1:10: found no matching overload for '_==_' applied to '(int, string)'"],
    ["self.min + self.name == 'x'", "compilation failed: ERROR: <input>:1:10: found no matching overload for '_+_' applied to '(int, string)'"],
    ['self.list.all(x, x > 1)', "compilation failed: ERROR: <input>:1:20: found no matching overload for '_>_' applied to '(string, int)'"],
    ["self.map['a'] == 'b'", "compilation failed: ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(int, string)'"],
    ['self.name.first == 1', "compilation failed: ERROR: <input>:1:10: type 'string' does not support field selection"],
    ['self.min', 'cel expression must evaluate to a bool'],
  ])('%s', (rule, problem) => expect(problems(rule)).toEqual([problem]));
  it('hold for messages', () => expect(problems('self.min > 1', { messageExpression: 'self.min' })).toEqual(['messageExpression must evaluate to a string']));
  it.each([
    "self.min > 1 && self.name != 'x' && self.list[0] + self.name != ''",
    "self.when > timestamp('2020-01-01T00:00:00Z')",
    "self.?name.orValue('x') == 'x' && self.map.all(k, self.map[k] > 1 && k.size() < 9)",
    "self.odd__dash__name == 'x' && (has(self.min) ? self.min : 0) >= 0",
    'self.min < 1.5 && double(self.min) == 1.0 && type(self.min) == int',
    "self.list.map(x, x + 'a').exists(x, x in ['b']) && self.min in [1, 2] && self.list == ['a']",
    "(self.min > 1 ? 'a' : 'b') == self.name && [self.min, self.max].max() == 3 && self.name.matches('x')",
  ])('%s', (rule) => expect(problems(rule)).toEqual([]));
});
