import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, stateStoreSuite } from '@coxswain/sdk-testing';
import { describe } from 'vitest';
import { openLmdbStore } from './open-lmdb-store.js';

describe('store-lmdb', () => {
  let path: string;
  let clock: FakeClock;
  stateStoreSuite({
    open: () => {
      path = mkdtempSync(join(tmpdir(), 'store-lmdb-'));
      clock = new FakeClock();
      return openLmdbStore({ path, clock });
    },
    reopen: async (store) => {
      await store.close();
      return openLmdbStore({ path, clock });
    },
    advance: (ms) => clock.advance(ms),
    dispose: async () => rmSync(path, { recursive: true, force: true }),
    propertyRuns: 15,
  });
});
