import { describe, expect, test } from 'vitest';
import type { Mutation } from './backend.js';
import { MemoryBackend } from './memory-backend.js';
import { RevisionedStore } from './revisioned-store.js';

const put = (key: string, value = 'v') => ({
  compare: [],
  success: [{ type: 'put' as const, key, value: Buffer.from(value) }],
});
const everything = { key: '\0', end: '\0' };

/** Appends wait until they are let through or refused. */
class GatedBackend extends MemoryBackend {
  readonly appends: { mutations: readonly Mutation[]; pass(): void; fail(error: Error): void }[] = [];
  reads = 0;

  override append(mutations: readonly Mutation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const pass = () => resolve(super.append(mutations));
      this.appends.push({ mutations, pass, fail: reject });
    });
  }

  override read(id: { revision: number; sub: number }): Uint8Array | undefined {
    this.reads++;
    return super.read(id);
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('RevisionedStore', () => {
  test('nothing shows before it is durable, and what waits meanwhile goes in one append', async () => {
    const backend = new GatedBackend();
    const store = new RevisionedStore(backend, { now: () => 0 });
    const watch = store.watch({ range: everything }, new AbortController().signal)[Symbol.asyncIterator]();
    const order: string[] = [];
    const first = store.txn(put('/a')).then(() => order.push('ack a'));
    await turn();
    const rest = Promise.all(['/b', '/c'].map((k) => store.txn(put(k)).then(() => order.push(`ack ${k}`))));
    const seen = watch.next().then((r) => order.push(`event ${(r.value as { revision: number }).revision}`));
    expect((await store.range(everything)).count).toBe(0);
    backend.appends[0]?.pass();
    await Promise.all([first, seen]);
    expect(order[0]).toBe('event 2');
    expect((await store.range(everything)).count).toBe(1);
    await turn();
    expect(backend.appends[1]?.mutations).toHaveLength(2);
    backend.appends[1]?.pass();
    await rest;
    expect(await store.range(everything)).toMatchObject({ count: 3, revision: 4 });
  });

  test('a failed append takes back everything planned on top of it', async () => {
    const backend = new GatedBackend();
    const store = new RevisionedStore(backend, { now: () => 0 });
    const granting = store.leaseGrant(60, 5);
    await turn();
    backend.appends[0]?.pass();
    await granting;
    const a = store.txn(put('/a'));
    await turn();
    const onTop = store.txn({
      compare: [{ key: '/a', target: 'mod', op: '=', operand: 2 }],
      success: [{ type: 'put', key: '/a', value: Buffer.from('2'), lease: 5 }],
    });
    const failing = Promise.allSettled([a, onTop]);
    backend.appends[1]?.fail(new Error('disk'));
    expect((await failing).map((r) => r.status)).toEqual(['rejected', 'rejected']);
    expect(await store.range(everything)).toMatchObject({ count: 0, revision: 1 });
    expect((await store.leaseStatus(5)).keys).toEqual([]);
    const again = store.txn(put('/b'));
    await turn();
    backend.appends[2]?.pass();
    expect((await again).revision).toBe(2);
  });

  test('an append that failed after the fact counts', async () => {
    const backend = new GatedBackend();
    const store = new RevisionedStore(backend, { now: () => 0 });
    const writing = store.txn(put('/a'));
    await turn();
    await MemoryBackend.prototype.append.call(backend, backend.appends[0]?.mutations ?? []);
    backend.appends[0]?.fail(new Error('the last sync'));
    expect((await writing).revision).toBe(2);
  });

  test('values beyond the cache are read back', async () => {
    const backend = new GatedBackend();
    backend.append = MemoryBackend.prototype.append;
    const store = new RevisionedStore(backend, { now: () => 0, cacheBytes: 3000 });
    for (let i = 0; i < 20; i++) await store.txn(put(`/k${i}`, String(i).repeat(500)));
    const { kvs } = await store.range(everything);
    expect(kvs.map((kv) => kv.value.length).sort()).toEqual([...Array<number>(10).fill(500), ...Array<number>(10).fill(1000)].sort());
    expect(backend.reads).toBeGreaterThan(10);
  });

  test('what an interrupted compaction left behind is deleted after loading', async () => {
    const backend = new MemoryBackend();
    const store = new RevisionedStore(backend, { now: () => 0 });
    for (let i = 0; i < 5; i++) await store.txn(put('/a', String(i)));
    await backend.append([{ type: 'compact', revision: 5 }]);
    const again = new RevisionedStore(backend, { now: () => 0 });
    await again.deleteLeftovers();
    expect([...backend.scan(0, 100)].map((r) => r.revision)).toEqual([5, 6]);
    await expect(again.range(everything, { revision: 4 })).rejects.toMatchObject({ code: 'compacted' });
  });

  test('a watcher with a full buffer is left alone and reads history later', async () => {
    const backend = new MemoryBackend();
    const store = new RevisionedStore(backend, { now: () => 0, watchBufferEvents: 3 });
    const watch = store.watch({ range: everything }, new AbortController().signal)[Symbol.asyncIterator]();
    for (let i = 0; i < 10; i++) await store.txn(put(`/k${i}`));
    const sizes: number[] = [];
    let seen = 0;
    while (seen < 10) {
      const { value } = await watch.next();
      sizes.push(value.events.length);
      seen += value.events.length;
    }
    expect(Math.max(...sizes)).toBe(3);
    expect(seen).toBe(10);
  });
});
