import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CorruptStoreError, StoreUnavailableError, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbStore } from './open-lmdb-store.js';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'store-lmdb-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const open = () => openLmdbStore({ path, clock: systemClock });
const file = () => join(path, 'store.mdb');

async function filled(): Promise<void> {
  const store = await open();
  const value = Buffer.from('needle'.repeat(300));
  for (let i = 0; i < 50; i++) {
    const success = Array.from({ length: 40 }, (_, j) => ({ type: 'put' as const, key: `/k/${i}/${j}`, value }));
    await store.txn({ compare: [], success });
  }
  await store.close();
}

async function expectCorrupt(): Promise<void> {
  const error = await open().then(
    (store) => store.close(),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CorruptStoreError);
  expect((error as Error).message).toContain(file());
  expect((error as Error).message).toContain('restore it from a snapshot');
}

test('a file of something else is refused, named, and left as it was', async () => {
  writeFileSync(file(), 'not a store at all\n'.repeat(1000));
  await expectCorrupt();
  expect(readFileSync(file(), 'utf8').startsWith('not a store')).toBe(true);
  // The folder is free again.
  rmSync(file());
  await (await open()).close();
});

test('a store that has been cut short is refused', async () => {
  await filled();
  truncateSync(file(), Math.floor(statSync(file()).size / 2));
  await expectCorrupt();
});

test('a record with a flipped bit is refused', async () => {
  await filled();
  const bytes = readFileSync(file());
  const at = bytes.indexOf('needleneedle');
  bytes.writeUInt8(bytes.readUInt8(at + 3) ^ 1, at + 3);
  // Copies of pages that were replaced may hold it too: hit all of them.
  for (let i = bytes.indexOf('needle', at + 100); i >= 0; i = bytes.indexOf('needle', i + 3000)) bytes.writeUInt8(0, i);
  writeFileSync(file(), bytes);
  await expectCorrupt();
});

test('a second opener is told who holds the store; a dead holder is not one', async () => {
  const store = await open();
  const error = await open().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect((error as Error).message).toContain(`in use by process ${process.pid}`);
  await store.close();
  // Our pid, but the process that wrote this started at another time.
  writeFileSync(join(path, 'LOCK'), `${process.pid} 12345\n`);
  await (await open()).close();
});

test('a path that cannot be a folder says so', async () => {
  writeFileSync(join(path, 'x'), '');
  mkdirSync(join(path, 'y'));
  await expect(openLmdbStore({ path: join(path, 'x'), clock: systemClock })).rejects.toThrow(join(path, 'x'));
});
