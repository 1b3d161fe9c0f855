import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CorruptStoreError, prefixRange, systemClock } from '@coxswain/sdk';
import type { StateStore } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeFrame, encodeFrame, holdsFrame } from './journal-frame.js';
import { openLmdbStore } from './open-lmdb-store.js';

let folder: string;
let copies = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-lmdb-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = () => join(folder, 'store');
const open = (at = path()) => openLmdbStore({ path: at, clock: systemClock });
const put = (store: StateStore, key: string, bytes = 100) => store.txn({ compare: [], success: [{ type: 'put', key, value: Buffer.alloc(bytes, key) }] });

/** The files as a process leaves them that is killed now. Only while nothing is on its way from the journal to LMDB, which would be copied half. */
function crash(): string {
  const at = join(folder, `copy-${++copies}`);
  mkdirSync(at);
  for (const name of readdirSync(path())) if (name.startsWith('journal') || name === 'store.mdb') copyFileSync(join(path(), name), join(at, name));
  return at;
}

async function contents(at: string): Promise<string[]> {
  const store = await open(at);
  try {
    return (await store.range(prefixRange('/k/'))).kvs.map(({ key }) => key);
  } finally {
    await store.close();
  }
}

test('what is only in the journal outlives a crash: values, leases, compaction', async () => {
  const store = await open();
  await store.leaseGrant(60, 7);
  await store.leaseGrant(60, 8);
  await store.leaseRevoke(8);
  const { revision } = await put(store, '/k/a');
  await put(store, '/k/a');
  await put(store, '/k/b');
  expect(statSync(join(path(), 'journal-0')).size).toBeGreaterThan(0);
  const before = crash();
  await store.compact(revision + 1);
  await put(store, '/k/c');
  const after = crash();
  await store.close();

  expect(await contents(before)).toEqual(['/k/a', '/k/b']);
  const again = await open(after);
  expect((await again.range(prefixRange('/k/'))).kvs.map(({ key, version }) => [key, version])).toEqual([
    ['/k/a', 2],
    ['/k/b', 1],
    ['/k/c', 1],
  ]);
  expect(await again.leases()).toEqual([7]);
  expect(await again.status()).toMatchObject({ revision: revision + 3, compactRevision: revision + 1 });
  await again.close();
});

test('a store that was closed is all in its one file', async () => {
  const store = await open();
  await put(store, '/k/a');
  await store.close();
  expect([0, 1].map((i) => statSync(join(path(), `journal-${i}`)).size)).toEqual([0, 0]);
  const at = crash();
  for (const i of [0, 1]) rmSync(join(at, `journal-${i}`));
  expect(await contents(at)).toEqual(['/k/a']);
});

test('an append that was cut short is not there; those before it are, and the store goes on', async () => {
  const store = await open();
  for (const key of ['a', 'b', 'c']) await put(store, `/k/${key}`);
  const at = crash();
  await store.close();
  truncateSync(join(at, 'journal-0'), statSync(join(at, 'journal-0')).size - 1);
  expect(await contents(at)).toEqual(['/k/a', '/k/b']);
  const again = await open(at);
  await put(again, '/k/d');
  await again.close();
  expect(await contents(at)).toEqual(['/k/a', '/k/b', '/k/d']);
});

test('an append that is damaged before others is refused, wherever the damage is', async () => {
  const store = await open();
  for (const key of ['a', 'b', 'c']) await put(store, `/k/${key}`);
  for (const offset of [0, 5, 12, 18, 60]) {
    const at = crash();
    const bytes = readFileSync(join(at, 'journal-0'));
    const second = decodeFrame(bytes, 0)?.length as number;
    bytes.writeUInt8(bytes.readUInt8(second + offset) ^ 1, second + offset);
    writeFileSync(join(at, 'journal-0'), bytes);
    const error = await open(at).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CorruptStoreError);
    expect((error as Error).message).toContain('journal-0');
  }
  await store.close();
});

test('the two files are written in turn, over and over, and every crash finds all that was acknowledged', async () => {
  const store = await open();
  const keys: string[] = [];
  for (let i = 100; i < 165; i++) {
    keys.push(`/k/${i}`);
    await put(store, `/k/${i}`, 200_000);
    if (i % 16 !== 0) continue;
    await store.defragment();
    keys.push(`/k/${i}-small`);
    await put(store, `/k/${i}-small`);
    expect(await contents(crash())).toEqual(keys);
  }
  // One that is larger than a file.
  await put(store, '/k/large', 5 * 1024 * 1024);
  await store.defragment();
  await put(store, '/k/small');
  expect(await contents(crash())).toEqual([...keys, '/k/large', '/k/small']);
  const size = [0, 1].reduce((sum, i) => sum + statSync(join(path(), `journal-${i}`)).size, 0);
  expect(size).toBeLessThan(10 * 1024 * 1024);
  await store.close();
});

test('frames carry every kind of mutation, and are found only whole', () => {
  const mutations = [
    { type: 'record', record: { revision: 2 ** 40, sub: 3, bytes: Buffer.from('value') } },
    { type: 'record', record: { revision: 1, sub: 0, bytes: Buffer.alloc(0) } },
    { type: 'lease-put', id: 2 ** 50, ttlSeconds: 0.5 },
    { type: 'lease-delete', id: 4 },
    { type: 'compact', revision: 9 },
  ] as const;
  const bytes = encodeFrame(12, mutations);
  expect(decodeFrame(bytes, 0)).toEqual({ sequence: 12, mutations, length: bytes.length });
  expect(decodeFrame(bytes.subarray(0, -1), 0)).toBeUndefined();
  expect(holdsFrame(Buffer.concat([Buffer.from('rubbish'), bytes]), 12)).toBe(true);
  expect(holdsFrame(bytes, 13)).toBe(false);
});
