import type { KeyValue, StateStore, Txn, WatchBatch, WatchRequest } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateStoreModel } from './state-store-model.js';

export interface StateStoreSuiteOptions {
  /** A fresh, empty store. The suite closes it. */
  open(): Promise<StateStore>;
  /** Close the store and open it again on the same data. Without it, persistence is not tested. */
  reopen?(store: StateStore): Promise<StateStore>;
  /** Let this many milliseconds pass for the store's clock. Default: wait. */
  advance?(ms: number): Promise<void>;
  /** Clean up after a test. */
  dispose?(): Promise<void>;
  /**
   * Whether writes take effect in the order in which one process started them. True for embedded stores (the default); a store behind
   * a network makes no such promise.
   */
  readonly ordersWrites?: boolean;
  /**
   * Whether a watch from the compacted revision itself still sees that revision's deletes. Default true; etcd before 3.4.37 and 3.5.19
   * loses them.
   */
  readonly keepsDeletesAtCompaction?: boolean;
  /** Runs of the property tests. Default 30. */
  readonly propertyRuns?: number;
}

const bytes = (text: string) => Buffer.from(text);
const text = (kv: KeyValue | undefined) => kv && Buffer.from(kv.value).toString();

/** Declares the tests every `StateStore` must pass. Call it inside `describe`. */
export function stateStoreSuite(options: StateStoreSuiteOptions): void {
  const advance = options.advance ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
  const ordersWrites = options.ordersWrites ?? true;
  let store: StateStore;
  let watching: AbortController;

  beforeEach(async () => {
    store = await options.open();
    watching = new AbortController();
  });
  afterEach(async () => {
    watching.abort();
    await store.close();
    await options.dispose?.();
  });

  const txn = (success: Txn['success'], compare: Txn['compare'] = [], failure: Txn['success'] = []) => store.txn({ compare, success, failure });
  const put = async (key: string, value = 'v', lease = 0) => (await txn([{ type: 'put', key, value: bytes(value), lease }])).revision;
  const del = async (key: string, end?: string) => (await txn([{ type: 'delete', range: end === undefined ? { key } : { key, end } }])).revision;
  const get = async (key: string, revision?: number) => (await store.range({ key }, revision === undefined ? {} : { revision })).kvs[0];
  const watch = (request: WatchRequest) => new Collector(store.watch(request, watching.signal));
  const all = prefixRange('/');

  describe('revisions', () => {
    test('an empty store is at revision 1; each writing transaction adds one, others add none', async () => {
      expect((await store.status()).revision).toBe(1);
      expect(await put('/a')).toBe(2);
      expect(await put('/a')).toBe(3);
      expect(await del('/nothing')).toBe(3);
      expect((await txn([{ type: 'range', range: { key: '/a' } }])).revision).toBe(3);
      expect((await store.range({ key: '/a' })).revision).toBe(3);
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
      expect((await store.range(all)).kvs.map((kv) => kv.modRevision)).toEqual([revision, revision]);
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

  describe('ranges', () => {
    beforeEach(async () => {
      for (const key of ['/b/2', '/a/1', '/b/1', '/c', '/b']) await put(key, key);
    });
    const keys = async (...args: Parameters<StateStore['range']>) => (await store.range(...args)).kvs.map((kv) => kv.key);

    test('are half-open, sorted by key, and exact without an end', async () => {
      expect(await keys({ key: '/b' })).toEqual(['/b']);
      expect(await keys(prefixRange('/b/'))).toEqual(['/b/1', '/b/2']);
      expect(await keys({ key: '/a/1', end: '/b/2' })).toEqual(['/a/1', '/b', '/b/1']);
      expect(await keys({ key: '/x', end: '/a' })).toEqual([]);
    });

    test('limit cuts, and count and more tell about the rest', async () => {
      const result = await store.range(all, { limit: 2 });
      expect(result.kvs.map((kv) => kv.key)).toEqual(['/a/1', '/b']);
      expect(result).toMatchObject({ more: true, count: 5 });
      expect(await store.range(all, { limit: 5 })).toMatchObject({ more: false, count: 5 });
      expect(await store.range({ key: '/b/1', end: '/d' }, { limit: 10 })).toMatchObject({ more: false, count: 3 });
    });

    test('countOnly and keysOnly leave out what they say', async () => {
      expect(await store.range(all, { countOnly: true })).toMatchObject({ kvs: [], count: 5, more: false });
      const { kvs } = await store.range(prefixRange('/b/'), { keysOnly: true });
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
      expect((await store.range(prefixRange('/b/'), { revision: 2 })).revision).toBe(8);
      await expect(store.range(all, { revision: 9 })).rejects.toMatchObject({ code: 'future-revision' });
    });
  });

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
        store.txn({
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
      expect(await store.range(all)).toMatchObject({ count: 0, revision: 1 });
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
      expect((await store.status()).revision).toBe(21);
      expect(rounds).toBeGreaterThanOrEqual(20);
    });

    test('writes started together get consecutive revisions, in the order they were started if the store says so', async () => {
      const revisions = await Promise.all(Array.from({ length: 50 }, (_, i) => put(`/k${i}`)));
      if (!ordersWrites) revisions.sort((a, b) => a - b);
      expect(revisions).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
    });
  });

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
        expect((await store.range({ key: '/' })).revision).toBeGreaterThanOrEqual(batch.revision);
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
      watching.abort();
      expect(await end).toBeUndefined();
      expect(await new Collector(store.watch({ range: all }, AbortSignal.abort())).next()).toBeUndefined();
    });

    test('end with an error when the store closes', async () => {
      const end = watch({ range: all }).next();
      await store.close();
      await expect(end).rejects.toMatchObject({ code: 'unavailable' });
      await expect(put('/a')).rejects.toMatchObject({ code: 'unavailable' });
    });
  });

  describe('compaction', () => {
    beforeEach(async () => {
      await put('/a', '1');
      await put('/a', '2');
      await put('/b', '1');
      await del('/b');
      await put('/a', '3');
    });

    test('forgets what was superseded, keeps the rest', async () => {
      await store.compact(4);
      expect((await store.status()).compactRevision).toBe(4);
      await expect(get('/a', 3)).rejects.toMatchObject({ code: 'compacted', compactRevision: 4 });
      expect(text(await get('/a', 4))).toBe('2');
      expect(text(await get('/b', 4))).toBe('1');
      expect(text(await get('/a'))).toBe('3');
      expect(await get('/b')).toBeUndefined();
    });

    test('twice the same, or ahead of the store, is an error', async () => {
      await store.compact(3);
      await expect(store.compact(3)).rejects.toMatchObject({ code: 'compacted' });
      await expect(store.compact(2)).rejects.toMatchObject({ code: 'compacted' });
      await expect(store.compact(7)).rejects.toMatchObject({ code: 'future-revision' });
    });

    test('ends watches that start before it; those from it on see everything', async () => {
      await store.compact(5);
      await expect(watch({ range: all, startRevision: 4 }).next()).rejects.toMatchObject({ code: 'compacted', compactRevision: 5 });
      const kept = options.keepsDeletesAtCompaction === false ? ['put /a 6'] : ['delete /b 5', 'put /a 6'];
      expect(await watch({ range: all, startRevision: 5 }).events(kept.length)).toEqual(kept);
    });

    test('ends a watcher that fell behind it', async () => {
      const slow = watch({ range: all, startRevision: 2 });
      await store.compact(6);
      await expect(slow.drain()).rejects.toMatchObject({ code: 'compacted' });
    });

    test('a key deleted before it can be made again', async () => {
      await store.compact(6);
      await put('/b', 'again');
      expect(await get('/b')).toMatchObject({ createRevision: 7, version: 1 });
      await store.compact(7);
      expect(text(await get('/b'))).toBe('again');
    });
  });

  describe('leases', () => {
    test('take their keys with them, in one transaction, when revoked', async () => {
      const { id } = await store.leaseGrant(60);
      await put('/a', 'x', id);
      await put('/b', 'x', id);
      await put('/c');
      expect(await store.leaseStatus(id)).toMatchObject({ id, grantedTtlSeconds: 60, keys: ['/a', '/b'] });
      const w = watch({ range: all });
      await store.leaseRevoke(id);
      expect((await w.nonEmpty()).events.map((e) => `${e.type} ${e.kv.key} ${e.kv.modRevision}`)).toEqual(['delete /a 5', 'delete /b 5']);
      expect(await store.leases()).toEqual([]);
      await expect(store.leaseRevoke(id)).rejects.toMatchObject({ code: 'lease-not-found' });
    });

    test('expire unless kept alive', async () => {
      const { id } = await store.leaseGrant(3);
      await put('/a', 'x', id);
      const w = watch({ range: all });
      await advance(2000);
      expect(await store.leaseKeepAlive(id)).toMatchObject({ id, remainingTtlSeconds: 3 });
      await advance(2000);
      expect(await get('/a')).toBeDefined();
      await advance(2000);
      expect(await w.events(1)).toEqual(['delete /a 3']);
      await expect(store.leaseKeepAlive(id)).rejects.toMatchObject({ code: 'lease-not-found' });
      expect(await store.leaseStatus(id)).toMatchObject({ remainingTtlSeconds: -1 });
      await expect(put('/a', 'x', id)).rejects.toMatchObject({ code: 'lease-not-found' });
    });

    test('a key follows its last write', async () => {
      const { id } = await store.leaseGrant(60, 77);
      expect(id).toBe(77);
      await expect(store.leaseGrant(60, 77)).rejects.toMatchObject({ code: 'lease-exists' });
      await put('/a', 'x', id);
      await put('/a', 'y');
      await put('/b', 'x', id);
      await del('/b');
      expect((await store.leaseStatus(id)).keys).toEqual([]);
      await store.leaseRevoke(id);
      expect(text(await get('/a'))).toBe('y');
    });
  });

  // Long on a slow disk, whatever a test is given otherwise.
  describe('property', { timeout: 120_000 }, () => {
    test('any sequence of transactions reads, and is watched, like the model', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryTxn, { maxLength: 40 }), ordersWrites ? fc.boolean() : fc.constant(false), async (txns, together) => {
          await store.close();
          await options.dispose?.();
          store = await options.open();
          const model = new StateStoreModel();
          const live = watch({ range: prefixRange('/p/') });
          const expected = txns.map((t) => model.txn(t));
          const results = together ? await Promise.all(txns.map((t) => store.txn(t))) : await inOrder(txns, (t) => store.txn(t));
          expect(results.map((r) => r.succeeded)).toEqual(expected);
          const check = async () => {
            for (let revision = 1; revision <= model.revision; revision++) {
              const { kvs, count } = await store.range(prefixRange('/p/'), { revision });
              expect(kvs.map(plain)).toEqual(model.at(revision));
              expect(count).toBe(kvs.length);
            }
            const history = watch({ range: prefixRange('/p/'), startRevision: 1 });
            expect((await history.raw(model.events.length)).map(event)).toEqual(model.events);
          };
          await check();
          expect((await live.raw(model.events.length)).map(event)).toEqual(model.events);
          if (options.reopen) {
            store = await options.reopen(store);
            await check();
          }
        }),
        { numRuns: options.propertyRuns ?? 30 },
      );
    });
  });

  const { reopen } = options;
  describe.runIf(reopen !== undefined)('persistence', () => {
    const again = async () => {
      store = await (reopen as NonNullable<typeof reopen>)(store);
    };

    test('revisions, history, compaction and leases outlive the process', async () => {
      const { id } = await store.leaseGrant(60);
      await put('/a', '1');
      await put('/a', '2', id);
      await put('/b');
      await del('/b');
      await store.compact(3);
      await again();
      expect(await store.status()).toMatchObject({ revision: 5, compactRevision: 3, healthy: true });
      expect(text(await get('/a', 3))).toBe('2');
      await expect(get('/a', 2)).rejects.toMatchObject({ code: 'compacted' });
      expect(await watch({ range: all, startRevision: 4 }).events(2)).toEqual(['put /b 4', 'delete /b 5']);
      const lease = await store.leaseStatus(id);
      expect(lease).toMatchObject({ grantedTtlSeconds: 60, keys: ['/a'] });
      // Whole seconds, which some stores round down.
      expect(lease.remainingTtlSeconds).toBeGreaterThanOrEqual(55);
      expect(await put('/c')).toBe(6);
    });

    test('the revision does not fall back when everything has been deleted and compacted', async () => {
      await put('/a');
      await del('/a');
      await store.compact(3);
      await again();
      expect((await store.status()).revision).toBe(3);
      expect(await put('/a')).toBe(4);
    });

    test('defragmenting changes nothing one can see, and a snapshot holds something', async () => {
      for (let i = 0; i < 20; i++) await put('/a', 'x'.repeat(1000));
      const writes = Array.from({ length: 20 }, (_, i) => put(`/k${i}`));
      await store.defragment();
      await Promise.all(writes);
      expect(await put('/after')).toBe(42);
      let size = 0;
      for await (const chunk of store.snapshot()) size += chunk.length;
      expect(size).toBeGreaterThan(0);
      await again();
      expect(await store.range(all, { countOnly: true })).toMatchObject({ count: 22, revision: 42 });
    });
  });
}

/** Reads a watch event by event. */
class Collector {
  readonly #iterator: AsyncIterator<WatchBatch>;
  #rest: WatchBatch['events'] = [];

  constructor(watch: AsyncIterable<WatchBatch>) {
    this.#iterator = watch[Symbol.asyncIterator]();
  }

  async next(): Promise<WatchBatch | undefined> {
    const { done, value } = await this.#iterator.next();
    return done ? undefined : value;
  }

  async nonEmpty(): Promise<WatchBatch> {
    for (;;) {
      const batch = await this.next();
      if (!batch) throw new Error('the watch ended');
      if (batch.events.length > 0) return batch;
    }
  }

  async raw(count: number): Promise<WatchBatch['events']> {
    const out = [...this.#rest];
    while (out.length < count) out.push(...(await this.nonEmpty()).events);
    this.#rest = out.splice(count);
    return out;
  }

  async events(count: number): Promise<string[]> {
    return (await this.raw(count)).map((e) => `${e.type} ${e.kv.key} ${e.kv.modRevision}`);
  }

  async drain(): Promise<void> {
    while (await this.next());
  }
}

const key = fc.constantFrom('/p/a', '/p/b', '/p/c', '/p/d');
const value = fc.constantFrom('', '1', '2', '33');
const arbitraryOps = fc.oneof(
  fc.record({ key, value }).map(({ key, value }) => [{ type: 'put' as const, key, value: bytes(value) }]),
  fc.constant([
    { type: 'put' as const, key: '/p/a', value: bytes('t') },
    { type: 'put' as const, key: '/p/c', value: bytes('t') },
  ]),
  key.map((key) => [{ type: 'delete' as const, range: { key } }]),
  fc.constant([{ type: 'delete' as const, range: { key: '/p/b', end: '/p/d' } }]),
);
const arbitraryCompare = fc.oneof(
  fc.record({
    key,
    target: fc.constantFrom('mod' as const, 'create' as const, 'version' as const),
    op: fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
    operand: fc.nat(6),
  }),
  fc.record({
    key,
    target: fc.constant('value' as const),
    op: fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
    operand: value.map(bytes),
  }),
);
const arbitraryTxn: fc.Arbitrary<Txn> = fc.record({
  compare: fc.array(arbitraryCompare, { maxLength: 2 }),
  success: arbitraryOps,
  failure: arbitraryOps,
});

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
