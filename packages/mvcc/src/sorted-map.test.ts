import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedMap } from './sorted-map.js';
import { WatchIndex } from './watch-index.js';

test('a SortedMap holds and orders what a Map and a sort would', () => {
  const key = fc.integer({ min: 0, max: 3000 }).map((n) => `k${n}`);
  const step = fc.record({ key, remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4000, size: 'max' }), key, key, (steps, from, to) => {
      const map = new SortedMap<string>();
      const model = new Map<string, string>();
      for (const { key, remove } of steps) {
        if (remove) expect(map.delete(key)).toBe(model.delete(key));
        else {
          map.set(key, key);
          model.set(key, key);
        }
      }
      const seen: string[] = [];
      map.visit(from, to, (v) => seen.push(v) > 0);
      expect(seen).toEqual([...model.keys()].filter((k) => k >= from && k < to).sort());
      expect(map.size).toBe(model.size);
    }),
    { numRuns: 20 },
  );
});

test('a SortedMap that was filled at once goes on as any other', () => {
  const key = fc.nat(20_000).map((n) => `k${n}`);
  const step = fc.record({ key, remove: fc.boolean() });
  const steps = fc.array(step, { maxLength: 5000, size: 'max' });
  fc.assert(
    fc.property(steps, steps, key, key, (first, then, from, to) => {
      const map = new SortedMap<string>();
      const model = new Set<string>();
      const take = ({ key, remove }: { key: string; remove: boolean }) => {
        if (remove) expect(map.delete(key)).toBe(model.delete(key));
        else {
          map.set(key, key);
          model.add(key);
        }
      };
      const check = () => {
        const seen: string[] = [];
        map.visit(from, to, (v) => seen.push(v) > 0);
        expect(seen).toEqual([...model].filter((k) => k >= from && k < to).sort());
        expect(map.size).toBe(model.size);
      };
      map.fill(() => first.forEach(take));
      check();
      then.forEach(take);
      check();
    }),
    { numRuns: 20 },
  );
});

test('a SortedMap that is filled in order and emptied again works on', () => {
  const map = new SortedMap<number>();
  const key = (i: number) => String(i).padStart(6, '0');
  for (let i = 0; i < 20_000; i++) map.set(key(i), i);
  for (let i = 0; i < 20_000; i++) if (i % 1000 !== 0) map.delete(key(i));
  const seen: number[] = [];
  map.visit('', undefined, (v) => seen.push(v) > 0);
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i * 1000));
});

test('a WatchIndex finds exactly the watchers whose range holds the key', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 });
  const range = fc.oneof(
    text.map((key) => ({ key })),
    text.map((p) => ({ key: p, end: p.slice(0, -1) + String.fromCharCode(p.charCodeAt(p.length - 1) + 1) })),
    fc.tuple(text, text).map(([key, end]) => ({ key, end })),
    text.map((key) => ({ key, end: '\0' })),
  );
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.array(fc.nat(11)), text, (ranges, gone, key) => {
      const watchers = ranges.map((r: { key: string; end?: string }) => ({ range: r }));
      const index = new WatchIndex<{ range: { key: string; end?: string } }>();
      for (const w of watchers) index.add(w);
      const left = watchers.filter((_, i) => !gone.includes(i));
      for (const w of watchers) if (!left.includes(w)) index.delete(w);
      const found = new Set<unknown>();
      index.forEach(key, (w) => found.add(w));
      const holds = ({ range: r }: (typeof watchers)[number]) => (r.end === undefined ? key === r.key : key >= r.key && (r.end === '\0' || key < r.end));
      expect(found).toEqual(new Set(left.filter(holds)));
    }),
  );
});
