import type { Json, JsonObject, SchemaLookup, TypeSchema } from '@coxswain/api';
import { ApiError } from '../status/api-error.js';
import { cloneJson, deepEqual, isJsonObject } from '../util/json.js';
import { orderElements, sameListItem } from './element-order.js';
import { patchSchema, type PatchField, type PatchSchema } from './patch-schema.js';
import { unprocessablePatch } from './json-patch.js';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList';
const ORDER_PREFIX = '$setElementOrder';

const badFormat = (what: string) => ApiError.badRequest(`invalid patch format of ${what}`);
const noMergeKey = (item: JsonObject, key: string) => ApiError.internalError(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
const badDirective = (directive: Json, item: JsonObject) => ApiError.internalError(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(item)}`);
const kindOf = (v: Json): string => (Array.isArray(v) ? 'slice' : v === null ? 'nil' : typeof v === 'object' ? 'map' : typeof v);

/**
 * Strategic merge patch, with all of its directives, over a type's merge keys. Returns a new object that shares nothing with the
 * inputs. Throws 400 for malformed directives, 422 for lists of lists, 500 (as upstream) for items without their merge key.
 */
export function applyStrategicMergePatch(object: JsonObject, patch: unknown, schema: TypeSchema, lookup: SchemaLookup): JsonObject {
  if (!isJsonObject(patch)) throw ApiError.badRequest('error decoding patch: a strategic merge patch is an object');
  return mergeMap(cloneJson(object), cloneJson(patch), patchSchema(schema, lookup));
}

/** Changes `original` and `patch`, which are our own copies. */
function mergeMap(original: JsonObject, patch: JsonObject, schema: PatchSchema): JsonObject {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    if (directive === 'replace') {
      const { [DIRECTIVE]: _directive, ...replacement } = patch;
      return replacement;
    }
    if (directive === 'delete') return {};
    throw badDirective(directive, patch);
  }
  retainKeys(original, patch);
  setElementOrders(original, patch, schema);
  for (const [given, value] of Object.entries(patch)) {
    const isDelete = given.startsWith(DELETE_PREFIX);
    const key = isDelete ? withoutPrefix(given, DELETE_PREFIX, 'primitive list') : given;
    if (value === null) {
      delete original[key];
      continue;
    }
    const current = Object.hasOwn(original, key) ? original[key] : undefined;
    if (current === undefined || kindOf(current) !== kindOf(value)) {
      if (isDelete) continue;
      const fresh = withoutDirectives(withoutNulls(value));
      if (fresh === undefined) delete original[key];
      else original[key] = fresh;
    } else if (isJsonObject(value)) {
      const field = schema.field(key);
      original[key] = field.strategy === 'replace' ? value : mergeMap(current as JsonObject, value, field.schema);
    } else if (Array.isArray(value)) {
      original[key] = mergeList(key, current as Json[], value, schema.field(key), isDelete);
    } else original[key] = value;
  }
  return original;
}

function withoutPrefix(key: string, prefix: string, what: string): string {
  if (key[prefix.length] !== '/') throw badFormat(what);
  return key.slice(prefix.length + 1);
}

/** `$retainKeys`: of the original, only these fields stay. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const keep = patch[RETAIN_KEYS];
  if (keep === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(keep)) throw badFormat('retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue;
    if (!keep.includes(key)) throw badFormat('retainKeys');
  }
  for (const key of Object.keys(original)) if (!keep.includes(key)) delete original[key];
}

/** `$setElementOrder/<list>`: merge the list now, then put it in this order. */
function setElementOrders(original: JsonObject, patch: JsonObject, schema: PatchSchema): void {
  for (const [given, order] of Object.entries(patch)) {
    if (!given.startsWith(ORDER_PREFIX)) continue;
    delete patch[given];
    const key = withoutPrefix(given, ORDER_PREFIX, 'setElementOrder list');
    const before = original[key];
    const items = patch[key];
    if (!Array.isArray(order) || (before !== undefined && !Array.isArray(before)) || (items !== undefined && items !== null && !Array.isArray(items))) {
      throw badFormat('setElementOrder list');
    }
    const field = schema.field(key);
    if (Array.isArray(items)) checkOrder(items, order, field.mergeKey);
    let merged: Json[];
    if (Array.isArray(items)) {
      merged = before ? mergeList(key, cloneJson(before), items, field, false) : (withoutDirectives(items) as Json[]);
    } else if (before) merged = before;
    else continue;
    requireMergeKeys(merged, field.mergeKey);
    original[key] = orderElements(merged, order, before ?? [], field.mergeKey);
    delete patch[key];
  }
}

/** The patch's items must come in the order the patch itself asks for. */
function checkOrder(items: readonly Json[], order: readonly Json[], mergeKey: string | undefined): void {
  if (order.length === 0) return;
  const plain = items.filter((item) => !(isJsonObject(item) && item[DIRECTIVE] !== undefined));
  requireMergeKeys(plain, mergeKey);
  let at = 0;
  for (const wanted of order) if (at < plain.length && sameListItem(plain[at] as Json, wanted, mergeKey)) at++;
  if (at < plain.length) {
    throw ApiError.internalError(`The order in patch list:\n${JSON.stringify(items)}\n doesn't match ${ORDER_PREFIX} list:\n${JSON.stringify(order)}\n`);
  }
}

function requireMergeKeys(items: readonly Json[], mergeKey: string | undefined): void {
  if (mergeKey === undefined) return;
  for (const item of items) if (isJsonObject(item) && item[mergeKey] === undefined) throw noMergeKey(item, mergeKey);
}

function mergeList(name: string, original: Json[], patch: Json[], { strategy, mergeKey, schema }: PatchField, isDelete: boolean): Json[] {
  if (strategy !== 'merge' && !isDelete) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const sample = [...original, ...patch];
  if (sample.some(Array.isArray)) throw unprocessablePatch('lists of lists are not supported');
  const maps = sample.filter(isJsonObject).length;
  if (maps === 0) {
    if (isDelete) return original.filter((item) => !patch.some((gone) => deepEqual(gone, item)));
    return orderElements(uniqueValues(sample), patch, original, undefined);
  }
  if (maps !== sample.length) throw ApiError.internalError(`list element types are not identical: ${name}`);
  if (mergeKey === undefined) throw ApiError.internalError(`cannot merge lists without merge key for ${name}`);
  return mergeMapList(original as JsonObject[], patch as JsonObject[], mergeKey, schema);
}

const uniqueValues = (list: readonly Json[]): Json[] => list.filter((item, i) => list.findIndex((other) => deepEqual(other, item)) === i);

function mergeMapList(original: JsonObject[], patch: JsonObject[], mergeKey: string, schema: PatchSchema): Json[] {
  let kept = original;
  let replace = false;
  const items: JsonObject[] = [];
  for (const item of patch) {
    const directive = item[DIRECTIVE];
    if (directive === undefined) items.push(item);
    else if (directive === 'delete') {
      if (item[mergeKey] === undefined) throw noMergeKey(item, mergeKey);
      kept = kept.filter((o) => !sameListItem(o, item, mergeKey));
    } else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw ApiError.internalError('merging lists cannot yet be specified in the patch');
    else throw badDirective(directive, item);
  }
  if (replace) return items;
  const merged = [...kept];
  for (const item of items) {
    if (item[mergeKey] === undefined) throw noMergeKey(item, mergeKey);
    const at = merged.findIndex((o) => sameListItem(o, item, mergeKey));
    if (at === -1) merged.push(withoutDirectives(withoutNulls(item)) as JsonObject);
    else merged[at] = mergeMap(merged[at] as JsonObject, item, schema);
  }
  requireMergeKeys(merged, mergeKey);
  return orderElements(merged, items, kept, mergeKey);
}

/** What is new to the object is taken without the nulls that would have removed something. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map((v) => (isJsonObject(v) ? withoutNulls(v) : v));
  if (!isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const [k, v] of Object.entries(value)) if (v !== null) out[k] = withoutNulls(v);
  return out;
}

/** Undefined: the value is an item or a map with a directive, and stands for nothing by itself. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((v) => v !== undefined);
  if (!isJsonObject(value)) return value;
  if (value[DIRECTIVE] !== undefined) return undefined;
  const out: JsonObject = {};
  for (const [k, v] of Object.entries(value)) {
    if (k === RETAIN_KEYS || k.startsWith(`${ORDER_PREFIX}/`) || k.startsWith(`${DELETE_PREFIX}/`)) continue;
    const kept = withoutDirectives(v);
    if (kept !== undefined) out[k] = kept;
  }
  return out;
}
