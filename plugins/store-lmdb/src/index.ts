export { lmdbStore } from './lmdb-store-plugin.js';
export { openLmdbStore } from './open-lmdb-store.js';
export type { LmdbStoreOptions } from './open-lmdb-store.js';
