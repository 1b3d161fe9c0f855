export { etcdStore } from './etcd-store-plugin.js';
export { openEtcdStore } from './open-etcd-store.js';
export type { EtcdStoreOptions } from './open-etcd-store.js';
