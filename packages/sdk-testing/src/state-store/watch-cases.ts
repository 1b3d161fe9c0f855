import { prefixRange } from '@coxswain/sdk';
import { describe, expect, test } from 'vitest';
import { all, bytes, type StoreBench, text } from './store-bench.js';
import { WatchReader } from './watch-reader.js';

export function watchCases(bench: StoreBench): void {
  const { txn, put, del, watch } = bench;
  describe('watches', () => {
    test('from now on: see what comes, in order, once, within the range', async () => {
      await put('/a/0');
      const w = watch({ range: prefixRange('/a/') });
      await put('/a/1');
      await put('/b/1');
      await put('/a/2');
      await del('/a/1');
      expect(await w.events(3)).toEqual(['put /a/1 3', 'put /a/2 5', 'delete /a/1 6']);
    });

    test('of a single key', async () => {
      const w = watch({ range: { key: '/a' } });
      await put('/a/1');
      await put('/a');
      expect(await w.events(1)).toEqual(['put /a 3']);
    });

    test('of a range that is no prefix', async () => {
      const w = watch({ range: { key: '/b', end: '/d' } });
      for (const key of ['/a', '/b', '/c/x', '/d', '/cc']) await put(key);
      expect(await w.events(3)).toEqual(['put /b 3', 'put /c/x 4', 'put /cc 6']);
    });

    test('from a revision: replay history, then go on without a gap', async () => {
      for (let i = 0; i < 5; i++) await put(`/k${i}`);
      const w = watch({ range: all, startRevision: 4 });
      expect(await w.events(3)).toEqual(['put /k2 4', 'put /k3 5', 'put /k4 6']);
      await put('/k5');
      expect(await w.events(1)).toEqual(['put /k5 7']);
    });

    test('from a revision that is still to come: see nothing before it', async () => {
      const w = watch({ range: all, startRevision: 4 });
      for (let i = 0; i < 4; i++) await put(`/k${i}`);
      expect(await w.events(2)).toEqual(['put /k2 4', 'put /k3 5']);
    });

    test('a transaction comes in one batch', async () => {
      const ops = Array.from({ length: 40 }, (_, i) => ({ type: 'put' as const, key: `/k${String(i).padStart(2, '0')}`, value: bytes('x') }));
      const live = watch({ range: all });
      await txn(ops);
      for (const w of [live, watch({ range: all, startRevision: 2 })]) {
        const batch = await w.nonEmpty();
        expect(batch.events.map((e) => e.kv.key)).toEqual(ops.map((op) => op.key));
        expect(batch.revision).toBe(2);
      }
    });

    test('carry values, and previous ones when asked, live and from history', async () => {
      const live = watch({ range: all, prevKv: true });
      await put('/a', '1');
      await put('/a', '2');
      await del('/a');
      for (const w of [live, watch({ range: all, prevKv: true, startRevision: 2 })]) {
        const events = await w.raw(3);
        expect(events.map((e) => [e.type, text(e.kv), text(e.prevKv)])).toEqual([
          ['put', '1', undefined],
          ['put', '2', '1'],
          ['delete', '', '2'],
        ]);
      }
      const [first] = await watch({ range: all, startRevision: 3 }).raw(1);
      expect(first?.prevKv).toBeUndefined();
    });

    test('report progress once caught up when asked', async () => {
      await put('/other');
      await put('/other');
      const w = watch({ range: { key: '/a' }, startRevision: 1, progressNotify: true });
      expect(await w.next()).toEqual({ revision: 3, events: [] });
    });

    test('see nothing before it can be read', async () => {
      const w = watch({ range: all });
      const writes = Array.from({ length: 20 }, (_, i) => put(`/k${i}`));
      for (let seen = 0; seen < 20; ) {
        const batch = await w.nonEmpty();
        expect((await bench.store.range({ key: '/' })).revision).toBeGreaterThanOrEqual(batch.revision);
        seen += batch.events.length;
      }
      await Promise.all(writes);
    });

    test('one that nobody reads blocks neither writers nor other watchers, and loses nothing', async () => {
      const slow = watch({ range: all });
      const quick = watch({ range: all });
      const count = 3000;
      for (let i = 0; i < count; i += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, j) => put(`/k${i + j}`)));
        await quick.raw(100);
      }
      const events = await slow.raw(count);
      expect(events.map((e) => e.kv.modRevision)).toEqual(Array.from({ length: count }, (_, i) => i + 2));
      await put('/last');
      expect(await slow.events(1)).toEqual([`put /last ${count + 2}`]);
    });

    test('end quietly when the signal aborts, also before the first event', async () => {
      const waiting = watch({ range: all });
      const end = waiting.next();
      bench.watching.abort();
      expect(await end).toBeUndefined();
      expect(await new WatchReader(bench.store.watch({ range: all }, AbortSignal.abort())).next()).toBeUndefined();
    });

    test('end with an error when the store closes', async () => {
      const end = watch({ range: all }).next();
      await bench.store.close();
      await expect(end).rejects.toMatchObject({ code: 'unavailable' });
      await expect(put('/a')).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}
