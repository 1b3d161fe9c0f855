export type { Backend, BackendState, Mutation, RecordId, StoredLease, StoredRecord } from './backend.js';
export { mvccErrors, MvccError } from './errors.js';
export type { ErrorFactory, MvccErrorCode } from './errors.js';
export { MemoryBackend } from './memory-backend.js';
export { RevisionedStore } from './revisioned-store.js';
export type { RevisionedStoreOptions } from './revisioned-store.js';
export { SortedMap } from './sorted-map.js';
export type * from './types.js';
export { WatchIndex } from './watch-index.js';
