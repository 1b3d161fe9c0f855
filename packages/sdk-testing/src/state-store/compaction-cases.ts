import { beforeEach, describe, expect, test } from 'vitest';
import { all, type StoreBench, text } from './store-bench.js';

export function compactionCases(bench: StoreBench): void {
  const { put, del, get, watch } = bench;
  describe('compaction', () => {
    beforeEach(async () => {
      await put('/a', '1');
      await put('/a', '2');
      await put('/b', '1');
      await del('/b');
      await put('/a', '3');
    });

    test('forgets what was superseded, keeps the rest', async () => {
      await bench.store.compact(4);
      expect((await bench.store.status()).compactRevision).toBe(4);
      await expect(get('/a', 3)).rejects.toMatchObject({ code: 'compacted', compactRevision: 4 });
      expect(text(await get('/a', 4))).toBe('2');
      expect(text(await get('/b', 4))).toBe('1');
      expect(text(await get('/a'))).toBe('3');
      expect(await get('/b')).toBeUndefined();
    });

    test('twice the same, or ahead of the store, is an error', async () => {
      await bench.store.compact(3);
      await expect(bench.store.compact(3)).rejects.toMatchObject({ code: 'compacted' });
      await expect(bench.store.compact(2)).rejects.toMatchObject({ code: 'compacted' });
      await expect(bench.store.compact(7)).rejects.toMatchObject({ code: 'future-revision' });
    });

    test('ends watches that start before it; those from it on see everything', async () => {
      await bench.store.compact(5);
      await expect(watch({ range: all, startRevision: 4 }).next()).rejects.toMatchObject({ code: 'compacted', compactRevision: 5 });
      const kept = bench.options.keepsDeletesAtCompaction === false ? ['put /a 6'] : ['delete /b 5', 'put /a 6'];
      expect(await watch({ range: all, startRevision: 5 }).events(kept.length)).toEqual(kept);
    });

    test('ends a watcher that fell behind it', async () => {
      const slow = watch({ range: all, startRevision: 2 });
      await bench.store.compact(6);
      await expect(slow.drain()).rejects.toMatchObject({ code: 'compacted' });
    });

    test('a key deleted before it can be made again', async () => {
      await bench.store.compact(6);
      await put('/b', 'again');
      expect(await get('/b')).toMatchObject({ createRevision: 7, version: 1 });
      await bench.store.compact(7);
      expect(text(await get('/b'))).toBe('again');
    });
  });
}
