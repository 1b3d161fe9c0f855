import type { KubeObject } from '@coxswain/api';

/** One change. `ERROR` carries a Status and is turned into an `ApiError` by the decoder; it never reaches callers. */
export interface WatchEvent<T = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}
