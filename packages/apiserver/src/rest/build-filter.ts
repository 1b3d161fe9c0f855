import type { KubeObject } from '@coxswain/api';
import { ApiError, parseFieldSelector, parseLabelSelector, SelectorError } from '@coxswain/apimachinery';
import type { FieldRequirement } from '@coxswain/apimachinery';
import type { ServedResource } from '../registry/served-resource.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { Scope, WatchFilter } from '../storage/watch-filter.js';

/**
 * Where to look and what to keep. Selectors that name an object, a namespace or an indexed value become the scope, so that nothing
 * else is looked at. Throws 400 for selectors that do not parse or name an unsupported field.
 */
export function buildFilter(served: ServedResource, namespace: string, name: string, labelText: string, fieldText: string): WatchFilter {
  let scope: Scope = name !== '' ? { type: 'name', namespace, name } : namespace !== '' ? { type: 'namespace', namespace } : { type: 'all' };
  if (labelText === '' && fieldText === '') return { id: scopeId(scope), scope };
  try {
    const tests: ((object: StoredObject) => boolean)[] = [];
    for (const requirement of parseFieldSelector(fieldText).requirements) {
      const narrowed = narrow(scope, requirement, served);
      if (narrowed) {
        scope = narrowed;
        continue;
      }
      tests.push(fieldTest(served, requirement));
    }
    const labels = parseLabelSelector(labelText);
    if (!labels.isEmpty) tests.push((object) => labels.matches(object.object.metadata.labels));
    const id = `${scopeId(scope)}\n${labelText}\n${fieldText}`;
    if (tests.length === 0) return { id, scope };
    return { id, scope, selects: tests.length === 1 ? (tests[0] as (object: StoredObject) => boolean) : (object) => tests.every((test) => test(object)) };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw ApiError.badRequest(error.message);
  }
}

function narrow(scope: Scope, requirement: FieldRequirement, served: ServedResource): Scope | undefined {
  const { field, operator, value } = requirement;
  if (operator !== '=') return undefined;
  if (field === 'metadata.name' && scope.type !== 'name' && scope.type !== 'index') {
    return { type: 'name', namespace: scope.type === 'namespace' ? scope.namespace : '', name: value };
  }
  if (field === 'metadata.namespace' && served.definition.namespaced && scope.type === 'all' && value !== '') return { type: 'namespace', namespace: value };
  if (served.storage?.cache.hasIndex(field) && (scope.type === 'all' || scope.type === 'namespace')) {
    return { type: 'index', field, value, namespace: scope.type === 'namespace' ? scope.namespace : '', holds: fieldTest(served, requirement) };
  }
  return undefined;
}

function fieldTest(served: ServedResource, { field, operator, value }: FieldRequirement): (object: StoredObject) => boolean {
  const equal = operator === '=';
  if (field === 'metadata.name') return (object) => (object.name === value) === equal;
  if (field === 'metadata.namespace' && served.definition.namespaced) return (object) => (object.namespace === value) === equal;
  const get: ((object: KubeObject) => string) | undefined = Object.hasOwn(served.definition.selectableFields, field)
    ? served.definition.selectableFields[field]
    : undefined;
  if (!get) throw new SelectorError(`field label not supported: ${field}`);
  return (object) => (get(served.codec.object(object)) === value) === equal;
}

function scopeId(scope: Scope): string {
  switch (scope.type) {
    case 'all':
      return '*';
    case 'namespace':
      return scope.namespace;
    case 'name':
      return `${scope.namespace}/${scope.name}`;
    case 'index':
      return `${scope.namespace}?${scope.field}=${scope.value}`;
  }
}
