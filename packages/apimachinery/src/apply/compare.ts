import { deepEqual } from '../util/json.js';
import { DEDUCED_TYPE, type CompiledListMap, type CompiledStruct, type CompiledType } from './compiled-type.js';
import { LEAF, type Fields } from './fields.js';
import { itemElement, listElements, sameItem } from './list-elements.js';

/** What became of an object: the paths added or modified, and the paths removed (with everything below). */
export interface Delta {
  readonly set: Fields | undefined;
  readonly removed: Fields | undefined;
}

type JsonMap = Readonly<Record<string, unknown>>;

const SET_LEAF: Delta = { set: LEAF, removed: undefined };
/** Another kind of value took its place: what was below is gone. */
const replaced = (type: CompiledType, r: unknown): Delta => ({ set: addedFields(type, r, false) ?? LEAF, removed: LEAF });
const isMap = (v: unknown): v is JsonMap => typeof v === 'object' && v !== null && !Array.isArray(v);

/**
 * Compare two objects of a type. No paths are built for what is equal: each level returns its part of the result, and parents attach it.
 * Undefined: no difference. Absent and null are the same.
 */
export function compareObjects(type: CompiledStruct, old: object, object: object): Delta | undefined {
  return compareMaps(type, old as JsonMap, object as JsonMap, true);
}

function compare(type: CompiledType, l: unknown, r: unknown, byValue: boolean): Delta | undefined {
  if (l === r) return undefined;
  switch (type.kind) {
    case 'skip':
      return undefined;
    case 'leaf':
      return deepEqual(l, r) ? undefined : SET_LEAF;
    case 'struct':
    case 'map':
    case 'deduced':
      if (isMap(l) && isMap(r)) return compareMaps(type, l, r, byValue);
      if (deepEqual(l, r)) return undefined;
      return isMap(l) || isMap(r) ? replaced(type, r) : SET_LEAF;
    case 'set':
    case 'listMap':
      if (Array.isArray(l) && Array.isArray(r)) return compareLists(type, l, r);
      return deepEqual(l, r) ? undefined : replaced(type, r);
  }
}

function compareMaps(type: Exclude<CompiledType, { kind: 'leaf' | 'set' | 'listMap' | 'skip' }>, l: JsonMap, r: JsonMap, byValue: boolean): Delta | undefined {
  let set: Record<string, Fields> | undefined;
  let removed: Record<string, Fields> | undefined;
  for (const key in r) {
    const rv = r[key];
    if (rv === undefined || rv === null) continue;
    const lv = l[key];
    if (lv === rv) continue;
    let child: CompiledType;
    let childByValue = false;
    let name: string | undefined;
    if (type.kind === 'struct') {
      const field = type.fields.get(key);
      if (field) {
        child = field.type;
        childByValue = byValue && field.byValue;
        name = field.element;
      } else if (type.unknown) child = type.unknown;
      else continue;
    } else child = type.kind === 'map' ? type.values : DEDUCED_TYPE;
    if (child.kind === 'skip') continue;
    if (lv === undefined || lv === null) {
      const fields = addedFields(child, rv, childByValue);
      if (fields) (set ??= {})[name ?? `f:${key}`] = fields;
      continue;
    }
    const delta = compare(child, lv, rv, childByValue);
    if (!delta) continue;
    name ??= `f:${key}`;
    if (delta.set) (set ??= {})[name] = delta.set;
    if (delta.removed) (removed ??= {})[name] = delta.removed;
  }
  for (const key in l) {
    const lv = l[key];
    if (lv === undefined || lv === null) continue;
    const rv = r[key];
    if (rv !== undefined && rv !== null) continue;
    if (type.kind === 'struct') {
      const field = type.fields.get(key);
      if (field ? field.type.kind === 'skip' : !type.unknown) continue;
    }
    (removed ??= {})[`f:${key}`] = LEAF;
  }
  return set || removed ? { set, removed } : undefined;
}

function compareLists(type: CompiledListMap | { readonly kind: 'set' }, l: readonly unknown[], r: readonly unknown[]): Delta | undefined {
  if (l.length === r.length && (type.kind === 'set' ? l.every((v, i) => v === r[i]) : l.every((v, i) => sameItem(type, v, r[i])))) {
    return type.kind === 'set' ? undefined : compareAligned(type, l, r);
  }
  const before = listElements(type, l);
  const after = listElements(type, r);
  // Items without identity: the list is one value.
  if (!before || !after) return deepEqual(l, r) ? undefined : replaced(type, r);
  const items = type.kind === 'set' ? undefined : type.items;
  let set: Record<string, Fields> | undefined;
  let removed: Record<string, Fields> | undefined;
  const old = new Map(before.map((element, i) => [element, l[i]]));
  after.forEach((element, i) => {
    if (!old.has(element)) {
      (set ??= {})[element] = (items && addedFields(items, r[i], false)) ?? LEAF;
      return;
    }
    const delta = items && compare(items, old.get(element), r[i], false);
    old.delete(element);
    if (delta?.set) (set ??= {})[element] = delta.set;
    if (delta?.removed) (removed ??= {})[element] = delta.removed;
  });
  for (const element of old.keys()) (removed ??= {})[element] = LEAF;
  return set || removed ? { set, removed } : undefined;
}

/** Same items at the same places: the usual case, without building keys for what is equal. */
function compareAligned(type: CompiledListMap, l: readonly unknown[], r: readonly unknown[]): Delta | undefined {
  let set: Record<string, Fields> | undefined;
  let removed: Record<string, Fields> | undefined;
  const { items } = type;
  for (let i = 0; i < l.length; i++) {
    const delta = compare(items, l[i], r[i], false);
    if (!delta) continue;
    const element = itemElement(type, r[i]) as string;
    if (delta.set) (set ??= {})[element] = delta.set;
    if (delta.removed) (removed ??= {})[element] = delta.removed;
  }
  return set || removed ? { set, removed } : undefined;
}

/** The paths of a value that was not there before: containers are in the set themselves, except what upstream holds by value. */
export function addedFields(type: CompiledType, value: unknown, byValue: boolean): Fields | undefined {
  if (type.kind === 'skip') return undefined;
  if (type.kind === 'leaf' || typeof value !== 'object' || value === null) return LEAF;
  const out: Record<string, Fields> = {};
  if (!byValue) out['.'] = LEAF;
  let empty = true;
  if (Array.isArray(value)) {
    if (type.kind !== 'set' && type.kind !== 'listMap') return LEAF;
    const elements = listElements(type, value);
    if (!elements) return LEAF;
    elements.forEach((element, i) => {
      empty = false;
      out[element] = (type.kind === 'listMap' && addedFields(type.items, value[i], false)) || LEAF;
    });
    return empty ? LEAF : out;
  }
  if (type.kind === 'set' || type.kind === 'listMap') return LEAF;
  for (const key in value) {
    const v = (value as JsonMap)[key];
    if (v === undefined || v === null) continue;
    const field = type.kind === 'struct' ? type.fields.get(key) : undefined;
    const child = field ? field.type : type.kind === 'struct' ? type.unknown : type.kind === 'map' ? type.values : DEDUCED_TYPE;
    if (!child) continue;
    const fields = addedFields(child, v, byValue && (field?.byValue ?? false));
    if (!fields) continue;
    empty = false;
    // Made once per field: as a new text it would be looked up each time.
    out[field?.element ?? `f:${key}`] = fields;
  }
  return empty ? (byValue ? undefined : LEAF) : out;
}
