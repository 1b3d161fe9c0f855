import type { KeyValue, WatchBatch } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StateStoreModel } from './state-store-model.js';
import { arbitraryTxn } from './arbitrary-txn.js';
import type { StoreBench } from './store-bench.js';

export function propertyCases(bench: StoreBench): void {
  const { watch } = bench;
  // Long on a slow disk, whatever a test is given otherwise.
  describe('property', { timeout: 120_000 }, () => {
    test('any sequence of transactions reads, and is watched, like the model', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryTxn, { maxLength: 40 }), bench.ordersWrites ? fc.boolean() : fc.constant(false), async (txns, together) => {
          await bench.renew();
          const model = new StateStoreModel();
          const live = watch({ range: prefixRange('/p/') });
          const expected = txns.map((t) => model.txn(t));
          const results = together ? await Promise.all(txns.map((t) => bench.store.txn(t))) : await inOrder(txns, (t) => bench.store.txn(t));
          expect(results.map((r) => r.succeeded)).toEqual(expected);
          const check = async () => {
            for (let revision = 1; revision <= model.revision; revision++) {
              const { kvs, count } = await bench.store.range(prefixRange('/p/'), { revision });
              expect(kvs.map(plain)).toEqual(model.at(revision));
              expect(count).toBe(kvs.length);
            }
            const history = watch({ range: prefixRange('/p/'), startRevision: 1 });
            expect((await history.raw(model.events.length)).map(event)).toEqual(model.events);
          };
          await check();
          expect((await live.raw(model.events.length)).map(event)).toEqual(model.events);
          if (bench.options.reopen) {
            await bench.reopen();
            await check();
          }
        }),
        { numRuns: bench.options.propertyRuns ?? 30 },
      );
    });
  });
}

function plain(kv: KeyValue) {
  const { createRevision, modRevision, version } = kv;
  return { key: kv.key, value: Buffer.from(kv.value).toString(), createRevision, modRevision, version };
}

function event(e: WatchBatch['events'][number]) {
  return { type: e.type, key: e.kv.key, value: Buffer.from(e.kv.value).toString(), revision: e.kv.modRevision };
}

async function inOrder<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  for (const item of items) out.push(await run(item));
  return out;
}
