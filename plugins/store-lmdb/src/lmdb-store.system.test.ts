import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NoSpaceError, prefixRange, systemClock } from '@coxswain/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbStore } from './open-lmdb-store.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'store-lmdb-sys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const writer = fileURLToPath(new URL('../scripts/writer.mts', import.meta.url));

test('kill -9 at any instant loses no acknowledged write and tears no transaction', async () => {
  const path = join(dir, 'store');
  const acknowledged = new Map<string, number>();
  let last = 1;
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--conditions=coxswain-source', '--import', 'tsx', writer, path, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    let seen = 0;
    // A different number of acknowledgements each round: the kill falls on different instants of a commit.
    const enough = 20 + round * 137;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') continue;
      const [revision, key] = line.split(' ') as [string, string];
      acknowledged.set(key, Number(revision));
      last = Math.max(last, Number(revision));
      if (++seen === enough) child.kill('SIGKILL');
    }
    await gone;
    expect(seen).toBeGreaterThanOrEqual(enough);

    const store = await openLmdbStore({ path, clock: systemClock });
    const { kvs, revision } = await store.range(prefixRange('/k/'));
    expect(revision).toBeGreaterThanOrEqual(last);
    const found = new Map(kvs.map((kv) => [kv.key, kv.modRevision]));
    for (const [key, at] of acknowledged) expect(found.get(key), key).toBe(at);
    for (const [key, at] of found) if (key.endsWith('/a')) expect(found.get(key.replace(/a$/, 'b')), key).toBe(at);
    await store.close();
  }
});

test('a full disk refuses writes, keeps reads, and heals', async () => {
  const mount = join(dir, 'small');
  mkdirSync(mount);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount]);
  try {
    const ballast = join(mount, 'ballast');
    writeFileSync(ballast, Buffer.alloc(12 * 1024 * 1024));
    const path = join(mount, 'store');
    let store = await openLmdbStore({ path, clock: systemClock });
    const put = (i: number) => store.txn({ compare: [], success: [{ type: 'put', key: `/k/${i}`, value: Buffer.alloc(20_000, 1) }] });
    const outcome = await Promise.all(
      Array.from({ length: 400 }, (_, i) => i).map((i) =>
        put(i).then(
          () => true,
          (e: unknown) => e,
        ),
      ),
    );
    let written = outcome.filter((o) => o === true).length;
    // One group may be larger than the disk: go on one by one until it is full.
    let refused: unknown = outcome.find((o) => o !== true);
    for (let i = 400; !refused || i < 403; i++)
      await put(i).then(
        () => written++,
        (e: unknown) => (refused = e),
      );
    expect(refused).toBeInstanceOf(NoSpaceError);
    while (
      (await put(1000 + written).then(
        () => ++written,
        () => 0,
      )) > 0
    );
    expect(await store.status()).toMatchObject({ healthy: false, message: expect.stringContaining('no space') });
    expect(await store.range(prefixRange('/k/'), { countOnly: true })).toMatchObject({ count: written });

    rmSync(ballast);
    await put(5000);
    expect(await store.status()).toMatchObject({ healthy: true });
    await store.close();
    store = await openLmdbStore({ path, clock: systemClock });
    expect((await store.range(prefixRange('/k/'))).kvs).toHaveLength(written + 1);
    await store.close();
  } finally {
    execFileSync('umount', [mount]);
  }
});
