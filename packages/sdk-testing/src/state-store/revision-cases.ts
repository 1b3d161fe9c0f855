import { describe, expect, test } from 'vitest';
import { all, bytes, type StoreBench, text } from './store-bench.js';

export function revisionCases(bench: StoreBench): void {
  const { txn, put, del, get } = bench;
  describe('revisions', () => {
    test('an empty store is at revision 1; each writing transaction adds one, others add none', async () => {
      expect((await bench.store.status()).revision).toBe(1);
      expect(await put('/a')).toBe(2);
      expect(await put('/a')).toBe(3);
      expect(await del('/nothing')).toBe(3);
      expect((await txn([{ type: 'range', range: { key: '/a' } }])).revision).toBe(3);
      expect((await bench.store.range({ key: '/a' })).revision).toBe(3);
    });

    test('a key carries when it was created and last written, and how often', async () => {
      await put('/a', '1');
      await put('/a', '2');
      expect(await get('/a')).toMatchObject({ key: '/a', createRevision: 2, modRevision: 3, version: 2, lease: 0 });
      await del('/a');
      await put('/a', '3');
      expect(await get('/a')).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
      expect(text(await get('/a'))).toBe('3');
    });

    test('all writes of a transaction share its revision', async () => {
      const { revision } = await txn(['/a', '/b'].map((key) => ({ type: 'put', key, value: bytes('x') })));
      expect((await bench.store.range(all)).kvs.map((kv) => kv.modRevision)).toEqual([revision, revision]);
    });

    test('empty values and values with every byte come back as they went in', async () => {
      const value = Uint8Array.from({ length: 256 }, (_, i) => i);
      await txn([
        { type: 'put', key: '/bytes', value },
        { type: 'put', key: '/empty', value: new Uint8Array(0) },
      ]);
      expect(Uint8Array.from((await get('/bytes'))?.value ?? [])).toEqual(value);
      expect((await get('/empty'))?.value.length).toBe(0);
    });

    test('the store keeps its own copy of a value', async () => {
      const value = bytes('before');
      await txn([{ type: 'put', key: '/a', value }]);
      value.fill(0);
      expect(text(await get('/a'))).toBe('before');
    });
  });
}
