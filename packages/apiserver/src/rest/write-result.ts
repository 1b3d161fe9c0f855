import type { KubeObject } from '@coxswain/api';
import type { ServedResource } from '../registry/served-resource.js';
import type { StoredObject } from '../storage/stored-object.js';

/** What a write answers with. */
export type WriteResult =
  | { readonly type: 'stored'; readonly object: StoredObject; readonly created: boolean }
  /** Dry run: nothing was stored. */
  | { readonly type: 'unstored'; readonly object: KubeObject; readonly created: boolean };

/** Not to be changed. */
export function objectOf(served: ServedResource, result: WriteResult): KubeObject {
  return result.type === 'stored' ? served.codec.object(result.object) : result.object;
}
