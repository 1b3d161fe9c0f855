import type { StoredObject } from './stored-object.js';

/** Where to look for objects, before any selector is asked. */
export type Scope =
  | { readonly type: 'all' }
  | { readonly type: 'namespace'; readonly namespace: string }
  | { readonly type: 'name'; readonly namespace: string; readonly name: string }
  /** Objects whose indexed field has this value, of one namespace or of all ('' means all). `holds` asks one that was not found by the index. */
  | { readonly type: 'index'; readonly field: string; readonly value: string; readonly namespace: string; readonly holds: (object: StoredObject) => boolean };

/** What a list or watch selects. Two filters with one `id` select the same. */
export interface WatchFilter {
  readonly id: string;
  readonly scope: Scope;
  /** Absent: everything in scope matches. */
  readonly selects?: (object: StoredObject) => boolean;
}

/** True when the filter wants the object. */
export function filterMatches(filter: WatchFilter, object: StoredObject): boolean {
  const { scope } = filter;
  switch (scope.type) {
    case 'all':
      break;
    case 'namespace':
      if (object.namespace !== scope.namespace) return false;
      break;
    case 'name':
      if (object.name !== scope.name || (scope.namespace !== '' && object.namespace !== scope.namespace)) return false;
      break;
    case 'index':
      if (!scope.holds(object)) return false;
      if (scope.namespace !== '' && object.namespace !== scope.namespace) return false;
  }
  return filter.selects === undefined || filter.selects(object);
}
