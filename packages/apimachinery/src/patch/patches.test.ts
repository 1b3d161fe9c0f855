import type { JsonObject } from '@coxswain/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testLookup, testSchema } from '../apply/test-schema.js';
import type { ApiError } from '../status/api-error.js';
import { deepEqual } from '../util/json.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { applyStrategicMergePatch } from './strategic-merge-patch.js';

const codeOf = (fn: () => unknown): [number, string] => {
  try {
    fn();
  } catch (error) {
    return [(error as ApiError).code, (error as ApiError).message];
  }
  throw new Error('did not throw');
};

describe('applyJsonPatch', () => {
  it('applies operations without touching the input', () => {
    const object = { a: [1, 2], b: { c: 'x' } };
    expect(
      applyJsonPatch(object, [
        { op: 'test', path: '/b/c', value: 'x' },
        { op: 'add', path: '/a/-', value: 3 },
        { op: 'remove', path: '/b/c' },
      ]),
    ).toEqual({ a: [1, 2, 3], b: {} });
    expect(object).toEqual({ a: [1, 2], b: { c: 'x' } });
  });

  it('refuses copies that would double the object until no memory holds it', () => {
    const doublings = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/x${i}` }));
    const [code, message] = codeOf(() => applyJsonPatch({ data: { k: 'v'.repeat(100) } }, doublings));
    expect(code).toBe(422);
    expect(message).toContain('exceeding the limit 3145728');
  });

  it('tells a malformed patch from one that does not apply and one that is too long', () => {
    expect(codeOf(() => applyJsonPatch({}, { op: 'add' }))[0]).toBe(400);
    expect(codeOf(() => applyJsonPatch({}, [{ op: 'frob', path: '/a' }]))[0]).toBe(400);
    expect(codeOf(() => applyJsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]))).toEqual([
      422,
      expect.stringMatching(/^the server rejected our request due to an error in our request: /),
    ]);
    expect(codeOf(() => applyJsonPatch({}, [{ op: 'remove', path: '/nope' }]))[0]).toBe(422);
    const many = Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/a', value: 1 }));
    expect(codeOf(() => applyJsonPatch({}, many))).toEqual([
      413,
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    ]);
  });
});

describe('applyMergePatch', () => {
  // RFC 7386, appendix A (objects only).
  it.each<[JsonObject, JsonObject, JsonObject]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j = %j', (target, patch, result) => {
    expect(applyMergePatch(target, patch)).toEqual(result);
  });

  it('is idempotent', () => {
    const json = fc.object({ maxDepth: 3, values: [fc.string(), fc.integer(), fc.constant(null)] }) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(deepEqual(applyMergePatch(once, patch), once)).toBe(true);
      }),
    );
  });

  it('refuses what is not an object', () => {
    expect(codeOf(() => applyMergePatch({}, [1]))[0]).toBe(400);
  });
});

describe('applyStrategicMergePatch', () => {
  const smp = (spec: JsonObject, patch: JsonObject) => applyStrategicMergePatch({ spec }, { spec: patch }, testSchema, testLookup)['spec'] as JsonObject;
  const c = (name: string, more: JsonObject = {}): JsonObject => ({ name, ...more });

  it('merges lists by key, in the order of the patch, without touching the rest', () => {
    const spec = { containers: [c('a', { image: '1' }), c('b', { image: '1' })], replicas: 1 };
    expect(smp(spec, { containers: [c('b', { image: '2' }), c('n')] })).toEqual({
      containers: [c('a', { image: '1' }), c('b', { image: '2' }), c('n')],
      replicas: 1,
    });
    expect(spec.containers[1]).toEqual(c('b', { image: '1' }));
  });

  it('deletes fields with null, ignores nulls for what is not there', () => {
    expect(smp({ replicas: 1, args: ['x'] }, { replicas: null, strategy: { type: null, rollingUpdate: { maxSurge: 1 } } })).toEqual({
      args: ['x'],
      strategy: { rollingUpdate: { maxSurge: 1 } },
    });
  });

  it('replaces lists without a merge strategy', () => {
    expect(smp({ args: ['a', 'b'] }, { args: ['c'] })).toEqual({ args: ['c'] });
  });

  it('$patch: delete and replace, on items, maps and lists', () => {
    const spec = { containers: [c('a', { image: '1' }), c('b')] };
    expect(smp(spec, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual({ containers: [c('b')] });
    expect(smp(spec, { containers: [{ $patch: 'replace' }, c('z')] })).toEqual({ containers: [c('z')] });
    expect(smp(spec, { containers: [{ name: 'a', $patch: 'replace', image: '9' } as JsonObject] })).toEqual({ containers: [] });
    expect(smp({ strategy: { type: 'x', rollingUpdate: { maxSurge: 1 } } }, { strategy: { $patch: 'replace', type: 'y' } })).toEqual({
      strategy: { type: 'y' },
    });
    expect(smp({ strategy: { type: 'x' } }, { strategy: { $patch: 'delete' } })).toEqual({ strategy: {} });
  });

  it('$deleteFromPrimitiveList and merging of sets', () => {
    const meta = (metadata: JsonObject, patch: JsonObject) => applyStrategicMergePatch({ metadata }, { metadata: patch }, testSchema, testLookup)['metadata'];
    expect(meta({ finalizers: ['a', 'b', 'c'] }, { '$deleteFromPrimitiveList/finalizers': ['b'] })).toEqual({ finalizers: ['a', 'c'] });
    expect(meta({ finalizers: ['a'] }, { finalizers: ['b', 'a'] })).toEqual({ finalizers: ['b', 'a'] });
    expect(meta({ finalizers: ['a', 'b'] }, { '$setElementOrder/finalizers': ['b', 'c', 'a'], finalizers: ['c'] })).toEqual({ finalizers: ['b', 'c', 'a'] });
  });

  it('$setElementOrder puts named items in order and keeps the others where they were', () => {
    const spec = { containers: [c('a'), c('s'), c('b')] };
    expect(smp(spec, { '$setElementOrder/containers': [c('b'), c('a')], containers: [c('a', { image: 'x' })] })).toEqual({
      containers: [c('s'), c('b'), c('a', { image: 'x' })],
    });
    expect(codeOf(() => smp(spec, { '$setElementOrder/containers': [c('b'), c('a')], containers: [c('a'), c('b')] }))[1]).toContain(
      "doesn't match $setElementOrder list",
    );
  });

  it('$retainKeys drops the other fields', () => {
    expect(smp({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } }, { strategy: { $retainKeys: ['type'], type: 'Recreate' } })).toEqual({
      strategy: { type: 'Recreate' },
    });
    expect(codeOf(() => smp({ strategy: {} }, { strategy: { $retainKeys: ['x'], type: 'y' } }))).toEqual([400, 'invalid patch format of retainKeys']);
  });

  it('says which item lacks its merge key, and which directive it does not know', () => {
    expect(codeOf(() => smp({ containers: [c('a')] }, { containers: [{ image: 'x' }] }))[1]).toContain('does not contain declared merge key: name');
    expect(codeOf(() => smp({ containers: [c('a')] }, { containers: [{ name: 'a', $patch: 'frob' }] }))[1]).toContain('unknown patch type: frob');
  });

  it('leaves no directive behind in what is new', () => {
    expect(smp({}, { containers: [c('a'), { name: 'b', $patch: 'delete' }], strategy: { $retainKeys: ['type'], type: 'x' } })).toEqual({
      containers: [c('a')],
      strategy: { type: 'x' },
    });
  });
});
