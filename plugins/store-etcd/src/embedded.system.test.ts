import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EtcdServer, serveEtcd } from '@coxswain/etcd-api';
import { type StateStore, systemClock, systemRandom } from '@coxswain/sdk';
import { stateStoreSuite } from '@coxswain/sdk-testing';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { describe } from 'vitest';
import { openEtcdStore } from './open-etcd-store.js';

/** Client and server of etcd's API against each other: a store seen through both is still a store. */
describe('store-etcd on an embedded store that speaks etcd', () => {
  let dir: string;
  let lmdb: StateStore;
  let server: EtcdServer;

  const serve = async () => {
    lmdb = await openLmdbStore({ path: join(dir, 'store'), clock: systemClock, progressIntervalMs: 200 });
    server = await serveEtcd({ store: lmdb, endpoint: `unix://${join(dir, 'etcd.sock')}` });
    return openEtcdStore({ endpoints: [server.endpoint], clock: systemClock, random: systemRandom, prefix: '/tenant' });
  };
  const shutDown = async () => {
    await server.close();
    await lmdb.close();
  };

  stateStoreSuite({
    open: () => {
      dir = mkdtempSync(join(tmpdir(), 'etcd-api-'));
      return serve();
    },
    reopen: async (store) => {
      await store.close();
      await shutDown();
      return serve();
    },
    dispose: async () => {
      await shutDown();
      rmSync(dir, { recursive: true, force: true });
    },
    ordersWrites: false,
    propertyRuns: 5,
  });
});
