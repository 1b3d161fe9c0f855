import type { Txn } from '@coxswain/sdk';
import { describe, expect, test } from 'vitest';
import { all, bytes, type StoreBench, text } from './store-bench.js';

export function transactionCases(bench: StoreBench): void {
  const { txn, put, get } = bench;
  describe('transactions', () => {
    const outcome = async (compare: Txn['compare'][number]) => (await txn([], [compare])).succeeded;

    test('every comparison on an existing key', async () => {
      await put('/a', 'm');
      await put('/a', 'n');
      const number = (target: 'mod' | 'create' | 'version', is: number) =>
        Promise.all(
          (
            [
              ['=', is],
              ['!=', is],
              ['<', is + 1],
              ['>', is - 1],
              ['<', is],
              ['>', is],
            ] as const
          ).map(([op, operand]) => outcome({ key: '/a', target, op, operand })),
        );
      for (const [target, is] of [
        ['mod', 3],
        ['create', 2],
        ['version', 2],
      ] as const) {
        expect(await number(target, is)).toEqual([true, false, true, true, false, false]);
      }
      const value = (op: '=' | '!=' | '<' | '>', operand: string) => outcome({ key: '/a', target: 'value', op, operand: bytes(operand) });
      expect(await Promise.all([value('=', 'n'), value('!=', 'n'), value('<', 'o'), value('>', 'm')])).toEqual([true, false, true, true]);
    });

    test('a missing key counts as 0, and no comparison of its value holds', async () => {
      expect(await outcome({ key: '/no', target: 'mod', op: '=', operand: 0 })).toBe(true);
      expect(await outcome({ key: '/no', target: 'version', op: '<', operand: 1 })).toBe(true);
      expect(await outcome({ key: '/no', target: 'value', op: '=', operand: bytes('') })).toBe(false);
      expect(await outcome({ key: '/no', target: 'value', op: '!=', operand: bytes('x') })).toBe(false);
    });

    test('success or failure runs, never both', async () => {
      const attempt = () =>
        bench.store.txn({
          compare: [{ key: '/lock', target: 'create', op: '=', operand: 0 }],
          success: [{ type: 'put', key: '/lock', value: bytes('mine') }],
          failure: [{ type: 'range', range: { key: '/lock' } }],
        });
      expect(await attempt()).toMatchObject({ succeeded: true, revision: 2 });
      const second = await attempt();
      expect(second).toMatchObject({ succeeded: false, revision: 2 });
      const [result] = second.results;
      expect(result?.type === 'range' && text(result.result.kvs[0])).toBe('mine');
    });

    test('later operations see earlier ones, and results stand in the order of the operations', async () => {
      await put('/a', 'old');
      const { results } = await txn([
        { type: 'put', key: '/b', value: bytes('1'), prevKv: true },
        { type: 'delete', range: { key: '/a' }, prevKv: true },
        { type: 'range', range: all },
      ]);
      expect(results[0]).toEqual({ type: 'put' });
      expect(results[1]).toMatchObject({ type: 'delete', deleted: 1, prevKvs: [{ key: '/a', modRevision: 2 }] });
      expect(results[2]?.type === 'range' && results[2].result.kvs.map((kv) => kv.key)).toEqual(['/b']);
    });

    test('prevKv of a put is what it replaced', async () => {
      await put('/a', 'old');
      const [result] = (await txn([{ type: 'put', key: '/a', value: bytes('new'), prevKv: true }])).results;
      expect(result?.type === 'put' && text(result.prevKv)).toBe('old');
    });

    test('one that is refused changes nothing', async () => {
      await expect(
        txn([
          { type: 'put', key: '/a', value: bytes('1') },
          { type: 'put', key: '/a', value: bytes('2') },
        ]),
      ).rejects.toMatchObject({ code: 'invalid' });
      await expect(
        txn([
          { type: 'put', key: '/b', value: bytes('1') },
          { type: 'put', key: '/c', value: bytes('1'), lease: 4711 },
        ]),
      ).rejects.toMatchObject({ code: 'lease-not-found' });
      expect(await bench.store.range(all)).toMatchObject({ count: 0, revision: 1 });
      expect(await put('/b')).toBe(2);
    });

    test('of many that compete for one key, exactly one wins each round', async () => {
      let rounds = 0;
      const increment = async () => {
        for (;;) {
          const kv = await get('/n');
          const next = bytes(String(Number(text(kv) ?? 0) + 1));
          const { succeeded } = await txn([{ type: 'put', key: '/n', value: next }], [{ key: '/n', target: 'mod', op: '=', operand: kv?.modRevision ?? 0 }]);
          rounds++;
          if (succeeded) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      expect(text(await get('/n'))).toBe('20');
      expect((await bench.store.status()).revision).toBe(21);
      expect(rounds).toBeGreaterThanOrEqual(20);
    });

    test('writes started together get consecutive revisions, in the order they were started if the store says so', async () => {
      const revisions = await Promise.all(Array.from({ length: 50 }, (_, i) => put(`/k${i}`)));
      if (!bench.ordersWrites) revisions.sort((a, b) => a - b);
      expect(revisions).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
    });
  });
}
