import { describe, expect, test } from 'vitest';
import { all, type StoreBench, text } from './store-bench.js';

export function leaseCases(bench: StoreBench): void {
  const { put, del, get, watch } = bench;
  describe('leases', () => {
    test('take their keys with them, in one transaction, when revoked', async () => {
      const { id } = await bench.store.leaseGrant(60);
      await put('/a', 'x', id);
      await put('/b', 'x', id);
      await put('/c');
      expect(await bench.store.leaseStatus(id)).toMatchObject({ id, grantedTtlSeconds: 60, keys: ['/a', '/b'] });
      const w = watch({ range: all });
      await bench.store.leaseRevoke(id);
      expect((await w.nonEmpty()).events.map((e) => `${e.type} ${e.kv.key} ${e.kv.modRevision}`)).toEqual(['delete /a 5', 'delete /b 5']);
      expect(await bench.store.leases()).toEqual([]);
      await expect(bench.store.leaseRevoke(id)).rejects.toMatchObject({ code: 'lease-not-found' });
    });

    test('expire unless kept alive', async () => {
      const { id } = await bench.store.leaseGrant(3);
      await put('/a', 'x', id);
      const w = watch({ range: all });
      await bench.advance(2000);
      expect(await bench.store.leaseKeepAlive(id)).toMatchObject({ id, remainingTtlSeconds: 3 });
      await bench.advance(2000);
      expect(await get('/a')).toBeDefined();
      await bench.advance(2000);
      expect(await w.events(1)).toEqual(['delete /a 3']);
      await expect(bench.store.leaseKeepAlive(id)).rejects.toMatchObject({ code: 'lease-not-found' });
      expect(await bench.store.leaseStatus(id)).toMatchObject({ remainingTtlSeconds: -1 });
      await expect(put('/a', 'x', id)).rejects.toMatchObject({ code: 'lease-not-found' });
    });

    test('a key follows its last write', async () => {
      const { id } = await bench.store.leaseGrant(60, 77);
      expect(id).toBe(77);
      await expect(bench.store.leaseGrant(60, 77)).rejects.toMatchObject({ code: 'lease-exists' });
      await put('/a', 'x', id);
      await put('/a', 'y');
      await put('/b', 'x', id);
      await del('/b');
      expect((await bench.store.leaseStatus(id)).keys).toEqual([]);
      await bench.store.leaseRevoke(id);
      expect(text(await get('/a'))).toBe('y');
    });
  });
}
