import { stateStoreSuite } from '@coxswain/sdk-testing';
import { describe } from 'vitest';
import { TestCluster } from './test-cluster.js';

describe('store-etcd on a cluster of three', () => {
  let cluster: TestCluster;
  stateStoreSuite({
    open: async () => {
      cluster = await TestCluster.start({ inMemory: true });
      return cluster.open();
    },
    reopen: async (store) => {
      await store.close();
      return cluster.open();
    },
    dispose: () => cluster.stop(),
    ordersWrites: false,
    // Debian's etcd 3.4.23.
    keepsDeletesAtCompaction: false,
    propertyRuns: 5,
  });
});
