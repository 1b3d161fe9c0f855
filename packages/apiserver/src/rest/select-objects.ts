import type { ResourceCache } from '../storage/resource-cache.js';
import { lowerBound } from '../storage/sorted-bucket.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WatchFilter } from '../storage/watch-filter.js';

/** Everything the filter selects, in key order. Looks only at what is in scope. */
export function selectAll(cache: ResourceCache, filter: WatchFilter): readonly StoredObject[] {
  const candidates = inScope(cache, filter);
  return filter.selects ? candidates.filter(filter.selects) : candidates;
}

function inScope(cache: ResourceCache, { scope }: WatchFilter): readonly StoredObject[] {
  switch (scope.type) {
    case 'all':
      return cache.all();
    case 'namespace':
      return cache.inNamespace(scope.namespace);
    case 'name': {
      if (scope.namespace !== '' || !cache.namespaced) {
        const found = cache.get(scope.namespace, scope.name);
        return found ? [found] : [];
      }
      return cache.namespaces().flatMap((namespace) => cache.get(namespace, scope.name) ?? []);
    }
    case 'index': {
      const found = cache.byIndex(scope.field, scope.value);
      return scope.namespace === '' ? found : found.filter((object) => object.namespace === scope.namespace);
    }
  }
}

export interface Page {
  readonly objects: readonly StoredObject[];
  /** Path of the last object when more follow. */
  readonly last: string | undefined;
  /** Objects after this page; unknown when a selector filters. */
  readonly remaining: number | undefined;
}

/** At most `limit` objects after the path `after` ('' for the first). */
export function selectPage(cache: ResourceCache, filter: WatchFilter, after: string, limit: number): Page {
  const objects: StoredObject[] = [];
  const pathOf = (object: StoredObject) => (cache.namespaced ? `${object.namespace}/${object.name}` : object.name);
  let remaining = 0;
  let more = false;
  for (const list of scopedLists(cache, filter, after)) {
    for (let i = list.from; i < list.objects.length; i++) {
      const object = list.objects[i] as StoredObject;
      if (objects.length === limit) {
        if (!filter.selects) {
          remaining += list.objects.length - i;
          more = true;
          break;
        }
        if (filter.selects(object)) return { objects, last: pathOf(objects.at(-1) as StoredObject), remaining: undefined };
        continue;
      }
      if (!filter.selects || filter.selects(object)) objects.push(object);
    }
  }
  return more ? { objects, last: pathOf(objects.at(-1) as StoredObject), remaining } : { objects, last: undefined, remaining: undefined };
}

function* scopedLists(cache: ResourceCache, filter: WatchFilter, after: string): IterableIterator<{ objects: readonly StoredObject[]; from: number }> {
  const slash = cache.namespaced ? after.indexOf('/') : -1;
  const afterNamespace = slash < 0 ? '' : after.slice(0, slash);
  const afterName = after.slice(slash + 1);
  const start = (objects: readonly StoredObject[]) => {
    const at = lowerBound(objects, afterName);
    return objects[at]?.name === afterName ? at + 1 : at;
  };
  const { scope } = filter;
  if (scope.type === 'namespace' || (scope.type === 'all' && !cache.namespaced)) {
    const objects = cache.inNamespace(scope.type === 'namespace' ? scope.namespace : '');
    yield { objects, from: after === '' ? 0 : start(objects) };
    return;
  }
  if (scope.type === 'all') {
    for (const namespace of cache.namespaces()) {
      if (after !== '' && `${namespace}/` < `${afterNamespace}/`) continue;
      const objects = cache.inNamespace(namespace);
      yield { objects, from: after !== '' && namespace === afterNamespace ? start(objects) : 0 };
    }
    return;
  }
  // Few objects: no need for a binary search.
  const objects = inScope(cache, filter);
  const path = (object: StoredObject) => (cache.namespaced ? `${object.namespace}/${object.name}` : object.name);
  const at = after === '' ? 0 : objects.findIndex((object) => path(object) > after);
  yield { objects, from: at < 0 ? objects.length : at };
}
