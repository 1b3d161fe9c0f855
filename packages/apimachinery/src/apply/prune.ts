import { DEDUCED_TYPE, type CompiledListMap, type CompiledStruct, type CompiledType } from './compiled-type.js';
import { isMember, LEAF, unionFields, type Fields } from './fields.js';
import { itemElement, valueElement } from './list-elements.js';

type JsonMap = Record<string, unknown>;
/** Every configuration names its object: metadata stays, although its name is not tracked. */
const ALWAYS: Fields = { 'f:metadata': { 'f:name': LEAF } };

/**
 * Removes from `object` what the manager owned before (`last`) and nobody owns now (`owned`: everybody's, with the manager's new set).
 * A list item or map entry goes when it is itself no longer owned, with whatever is in it; a struct when nothing in it is owned.
 * Returns the same object when nothing goes.
 */
export function pruneUnowned<T extends object>(type: CompiledStruct, object: T, last: Fields, owned: Fields): T {
  return pruneMap(type, object as JsonMap, last, unionFields(owned, ALWAYS)) as T;
}

function pruneMap(
  type: Exclude<CompiledType, { kind: 'leaf' | 'set' | 'listMap' | 'skip' }>,
  value: JsonMap,
  last: Fields,
  owned: Fields | undefined,
): JsonMap {
  let out: JsonMap | undefined;
  for (const element in last) {
    if (!element.startsWith('f:')) continue;
    const key = element.slice(2);
    const v = value[key];
    if (v === undefined) continue;
    const lastNode = last[element] as Fields;
    const ownedNode = owned?.[element];
    const field = type.kind === 'struct' ? type.fields.get(key) : undefined;
    // A declared field counts as owned with anything below it; a map entry only itself.
    const wasOwned = field !== undefined || isMember(lastNode);
    const isOwned = field !== undefined ? ownedNode !== undefined : isMember(ownedNode);
    if (wasOwned && !isOwned) {
      out ??= { ...value };
      delete out[key];
      continue;
    }
    const child = field ? field.type : type.kind === 'struct' ? (type.unknown ?? DEDUCED_TYPE) : type.kind === 'map' ? type.values : DEDUCED_TYPE;
    const pruned = pruneValue(child, v, lastNode, ownedNode);
    if (pruned === v) continue;
    out ??= { ...value };
    // What became empty goes as well, unless somebody wants it so, and except for the structs that are always there.
    if (isEmptyContainer(pruned) && !isMember(ownedNode) && !field?.byValue) delete out[key];
    else out[key] = pruned;
  }
  return out ?? value;
}

function isEmptyContainer(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function pruneValue(type: CompiledType, value: unknown, last: Fields, owned: Fields | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  switch (type.kind) {
    case 'leaf':
    case 'skip':
      return value;
    case 'set':
    case 'listMap':
      return Array.isArray(value) ? pruneList(type, value, last, owned) : value;
    default:
      return Array.isArray(value) ? value : pruneMap(type, value as JsonMap, last, owned);
  }
}

function pruneList(type: CompiledListMap | { readonly kind: 'set' }, list: readonly unknown[], last: Fields, owned: Fields | undefined): readonly unknown[] {
  let changed = false;
  const out: unknown[] = [];
  for (const item of list) {
    const element = type.kind === 'set' ? valueElement(item) : itemElement(type, item);
    const lastNode = element === undefined ? undefined : last[element];
    if (element === undefined || !lastNode) {
      out.push(item);
      continue;
    }
    const ownedNode = owned?.[element];
    if (isMember(lastNode) && !isMember(ownedNode)) {
      changed = true;
      continue;
    }
    const pruned = type.kind === 'listMap' ? pruneValue(type.items, item, lastNode, ownedNode) : item;
    if (pruned !== item) changed = true;
    out.push(pruned);
  }
  return changed ? out : list;
}
