import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldSet } from './field-set.js';

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1');
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const set = fc.array(path, { maxLength: 8 }).map((paths) => FieldSet.ofElements(...paths));
const text = (s: FieldSet) => [...s.paths()].map((p) => p.join('/')).sort();
const under = (a: readonly string[], b: readonly string[]) => b.every((e, i) => a[i] === e);

describe('FieldSet', () => {
  it('behaves as a set of paths under union, intersection and difference', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [x, y] = [text(a), text(b)];
        expect(text(a.union(b))).toEqual([...new Set([...x, ...y])].sort());
        expect(text(a.intersection(b))).toEqual(x.filter((p) => y.includes(p)));
        expect(text(a.difference(b))).toEqual(x.filter((p) => !y.includes(p)));
        expect(a.union(b).equals(b.union(a))).toBe(true);
        expect(a.difference(b).union(a.intersection(b)).equals(a)).toBe(true);
        expect(a.equals(b)).toBe(x.join() === y.join());
      }),
    );
  });

  it('takes everything below along in a recursive difference', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const gone = [...b.paths()];
        const left = [...a.paths()].filter((p) => !gone.some((g) => under(p, g)));
        expect(text(a.recursiveDifference(b))).toEqual(left.map((p) => p.join('/')).sort());
      }),
    );
  });

  it('survives its stored form', () => {
    fc.assert(
      fc.property(set, (a) => {
        expect(FieldSet.parse(JSON.parse(JSON.stringify(a.fields)) as object).equals(a)).toBe(true);
      }),
    );
  });

  it('drops unknown kinds of elements, refuses elements without one', () => {
    expect(text(FieldSet.parse({ 'z:1': {}, 'f:a': {} }))).toEqual(['f:a']);
    expect(() => FieldSet.parse({ foo: {} })).toThrow('missing colon: foo');
  });

  it('prints paths as messages do', () => {
    const s = FieldSet.ofElements(['f:spec', 'f:containers', 'k:{"containerPort":80,"protocol":"TCP"}', 'f:image'], ['f:finalizers', 'v:"x"'], ['f:l', 'i:3']);
    expect(s.toString().split('\n')).toEqual(['.finalizers[="x"]', '.l[3]', '.spec.containers[containerPort=80,protocol="TCP"].image']);
  });
});
