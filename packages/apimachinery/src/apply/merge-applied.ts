import { DEDUCED_TYPE, type CompiledListMap, type CompiledStruct, type CompiledType } from './compiled-type.js';
import { itemElement, valueElement } from './list-elements.js';

type JsonMap = Record<string, unknown>;
const isMap = (v: unknown): v is JsonMap => typeof v === 'object' && v !== null && !Array.isArray(v);

/** The live object with the applied configuration laid over it. What does not change is shared with `live` and `applied`; null removes. */
export function mergeApplied(type: CompiledStruct, live: object, applied: object): JsonMap {
  return mergeMaps(type, live as JsonMap, applied as JsonMap);
}

function merge(type: CompiledType, l: unknown, r: unknown): unknown {
  switch (type.kind) {
    case 'struct':
    case 'map':
    case 'deduced':
      return isMap(r) ? mergeMaps(type, isMap(l) ? l : {}, r) : r;
    case 'set':
    case 'listMap':
      return Array.isArray(r) ? mergeLists(type, Array.isArray(l) ? l : [], r) : r;
    default:
      return r;
  }
}

function mergeMaps(type: Exclude<CompiledType, { kind: 'leaf' | 'set' | 'listMap' | 'skip' }>, l: JsonMap, r: JsonMap): JsonMap {
  const out: JsonMap = { ...l };
  for (const key in r) {
    const rv = r[key];
    if (rv === undefined) continue;
    if (rv === null) {
      delete out[key];
      continue;
    }
    const child = type.kind === 'struct' ? (type.fields.get(key)?.type ?? type.unknown ?? DEDUCED_TYPE) : type.kind === 'map' ? type.values : DEDUCED_TYPE;
    out[key] = merge(child, l[key], rv);
  }
  return out;
}

/**
 * Items in both are merged and take the order of the applied list; items of the live list only stay where they are relative to their
 * neighbours; new ones come where the applied list has them.
 */
function mergeLists(type: CompiledListMap | { readonly kind: 'set' }, l: readonly unknown[], r: readonly unknown[]): unknown[] {
  const elementOf = (item: unknown, i: number) => (type.kind === 'set' ? valueElement(item) : (itemElement(type, item) ?? `i:${i}`));
  const ls = l.map(elementOf);
  const rs = r.map(elementOf);
  const inLive = new Map(ls.map((e, i) => [e, l[i]]));
  const inApplied = new Set(rs);
  const done = new Set<string>();
  const nextSharedAfter = (from: number) => rs.slice(from).find((e) => inLive.has(e));
  let nextShared = nextSharedAfter(0);
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  const takeApplied = () => {
    const element = rs[j] as string;
    const below = inLive.get(element);
    out.push(
      type.kind === 'listMap' && below !== undefined ? merge(type.items, below, r[j]) : type.kind === 'listMap' ? merge(type.items, undefined, r[j]) : r[j],
    );
    done.add(element);
    j++;
    if (element === nextShared) nextShared = nextSharedAfter(j);
  };
  while (i < ls.length || j < rs.length) {
    const element = ls[i];
    if (element !== undefined && j < rs.length) {
      if (element === rs[j]) {
        takeApplied();
        i++;
        continue;
      }
      if (inApplied.has(element) && nextShared !== undefined && nextShared !== element) {
        // Shared, but its turn is another one: the applied order decides.
        i++;
        continue;
      }
    }
    if (element !== undefined) {
      if (!inApplied.has(element)) {
        out.push(l[i++]);
        continue;
      }
      if (done.has(element)) {
        i++;
        continue;
      }
    }
    takeApplied();
  }
  return out;
}
