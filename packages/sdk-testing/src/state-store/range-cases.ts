import type { StateStore } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';
import { beforeEach, describe, expect, test } from 'vitest';
import { all, type StoreBench, text } from './store-bench.js';

export function rangeCases(bench: StoreBench): void {
  const { put, del, get } = bench;
  describe('ranges', () => {
    beforeEach(async () => {
      for (const key of ['/b/2', '/a/1', '/b/1', '/c', '/b']) await put(key, key);
    });
    const keys = async (...args: Parameters<StateStore['range']>) => (await bench.store.range(...args)).kvs.map((kv) => kv.key);

    test('are half-open, sorted by key, and exact without an end', async () => {
      expect(await keys({ key: '/b' })).toEqual(['/b']);
      expect(await keys(prefixRange('/b/'))).toEqual(['/b/1', '/b/2']);
      expect(await keys({ key: '/a/1', end: '/b/2' })).toEqual(['/a/1', '/b', '/b/1']);
      expect(await keys({ key: '/x', end: '/a' })).toEqual([]);
    });

    test('limit cuts, and count and more tell about the rest', async () => {
      const result = await bench.store.range(all, { limit: 2 });
      expect(result.kvs.map((kv) => kv.key)).toEqual(['/a/1', '/b']);
      expect(result).toMatchObject({ more: true, count: 5 });
      expect(await bench.store.range(all, { limit: 5 })).toMatchObject({ more: false, count: 5 });
      expect(await bench.store.range({ key: '/b/1', end: '/d' }, { limit: 10 })).toMatchObject({ more: false, count: 3 });
    });

    test('countOnly and keysOnly leave out what they say', async () => {
      expect(await bench.store.range(all, { countOnly: true })).toMatchObject({ kvs: [], count: 5, more: false });
      const { kvs } = await bench.store.range(prefixRange('/b/'), { keysOnly: true });
      expect(kvs.map((kv) => [kv.key, kv.value.length, kv.modRevision])).toEqual([
        ['/b/1', 0, 4],
        ['/b/2', 0, 2],
      ]);
    });

    test('read the past, and refuse the future', async () => {
      await put('/b/1', 'new');
      await del('/b/2');
      expect(text(await get('/b/1', 6))).toBe('/b/1');
      expect(await keys(prefixRange('/b/'), { revision: 3 })).toEqual(['/b/2']);
      expect((await bench.store.range(prefixRange('/b/'), { revision: 2 })).revision).toBe(8);
      await expect(bench.store.range(all, { revision: 9 })).rejects.toMatchObject({ code: 'future-revision' });
    });
  });
}
