import { describe, expect, test } from 'vitest';
import { all, type StoreBench, text } from './store-bench.js';

export function persistenceCases(bench: StoreBench): void {
  const { put, del, get, watch } = bench;
  describe.runIf(bench.options.reopen !== undefined)('persistence', () => {
    test('revisions, history, compaction and leases outlive the process', async () => {
      const { id } = await bench.store.leaseGrant(60);
      await put('/a', '1');
      await put('/a', '2', id);
      await put('/b');
      await del('/b');
      await bench.store.compact(3);
      await bench.reopen();
      expect(await bench.store.status()).toMatchObject({ revision: 5, compactRevision: 3, healthy: true });
      expect(text(await get('/a', 3))).toBe('2');
      await expect(get('/a', 2)).rejects.toMatchObject({ code: 'compacted' });
      expect(await watch({ range: all, startRevision: 4 }).events(2)).toEqual(['put /b 4', 'delete /b 5']);
      const lease = await bench.store.leaseStatus(id);
      expect(lease).toMatchObject({ grantedTtlSeconds: 60, keys: ['/a'] });
      // Whole seconds, which some stores round down.
      expect(lease.remainingTtlSeconds).toBeGreaterThanOrEqual(55);
      expect(await put('/c')).toBe(6);
    });

    test('the revision does not fall back when everything has been deleted and compacted', async () => {
      await put('/a');
      await del('/a');
      await bench.store.compact(3);
      await bench.reopen();
      expect((await bench.store.status()).revision).toBe(3);
      expect(await put('/a')).toBe(4);
    });

    test('defragmenting changes nothing one can see, and a snapshot holds something', async () => {
      for (let i = 0; i < 20; i++) await put('/a', 'x'.repeat(1000));
      const writes = Array.from({ length: 20 }, (_, i) => put(`/k${i}`));
      await bench.store.defragment();
      await Promise.all(writes);
      expect(await put('/after')).toBe(42);
      let size = 0;
      for await (const chunk of bench.store.snapshot()) size += chunk.length;
      expect(size).toBeGreaterThan(0);
      await bench.reopen();
      expect(await bench.store.range(all, { countOnly: true })).toMatchObject({ count: 22, revision: 42 });
    });
  });
}
