import type { Json } from '@coxswain/api';
import { deepEqual, isJsonObject } from '../util/json.js';

/** Items are the same by merge key, or by value when there is none. */
export function sameListItem(a: Json, b: Json, mergeKey: string | undefined): boolean {
  if (mergeKey === undefined) return deepEqual(a, b);
  return isJsonObject(a) && isJsonObject(b) && a[mergeKey] !== undefined && deepEqual(a[mergeKey], b[mergeKey]);
}

const indexIn = (list: readonly Json[], item: Json, mergeKey: string | undefined) => list.findIndex((other) => sameListItem(item, other, mergeKey));

/**
 * Orders a merged list: items the patch names in the patch's order, the others in the server's, interleaved so that what the server
 * had in front stays in front.
 */
export function orderElements(merged: readonly Json[], patchOrder: readonly Json[], serverOrder: readonly Json[], mergeKey: string | undefined): Json[] {
  const inOrder = (list: readonly Json[]) => {
    const at = (item: Json) => {
      const i = indexIn(list, item, mergeKey);
      return i === -1 ? list.length : i;
    };
    return (a: Json, b: Json) => at(a) - at(b);
  };
  const named = merged.filter((item) => indexIn(patchOrder, item, mergeKey) !== -1).sort(inOrder(patchOrder));
  const others = merged.filter((item) => indexIn(patchOrder, item, mergeKey) === -1).sort(inOrder(serverOrder));
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length || j < named.length) {
    const other = others[i];
    const name = named[j];
    if (other !== undefined && (name === undefined || isBefore(other, name))) {
      out.push(other);
      i++;
    } else {
      out.push(name as Json);
      j++;
    }
  }
  return out;

  function isBefore(a: Json, b: Json): boolean {
    const x = indexIn(serverOrder, a, mergeKey);
    const y = indexIn(serverOrder, b, mergeKey);
    return x !== -1 && y !== -1 && x < y;
  }
}
