import type { KubeObject } from '@coxswain/api';
import { formatTime } from '../util/time.js';
import { differenceFields, isEmptyNode, NO_FIELDS, recursiveDifferenceFields, unionFields, type Fields } from './fields.js';
import { capUpdateManagers, decodeManagers, encodeManagers, isReset, sameManager, type Managed } from './managers.js';
import { nothingOf, VersionedDelta } from './track-changes.js';
import type { UpdateRequest } from './types.js';

/**
 * Records a create, update or (non-apply) patch in `request.object.metadata.managedFields`: the writer owns what it added or changed,
 * others lose it, and nobody owns what is gone. Work is proportional to the size of the objects; nothing is allocated for what is equal.
 *
 * - The managers in the new object count (a client may edit them), unless they are absent or malformed or this is a subresource;
 *   `[]` forgets all of them.
 * - An object without managers stays without until something is applied to it.
 */
export function updateManagedFields(request: UpdateRequest): void {
  const { old, object, apiVersion, subresource = '' } = request;
  const managers = currentManagers(old, object, subresource);
  if (managers.length === 0 && old?.metadata.uid) {
    setManagers(object, []);
    return;
  }
  const deltas = new VersionedDelta(request, old ?? nothingOf(object), object);
  const own = deltas.at(apiVersion);
  if (own === undefined && managers.every((m) => m.apiVersion === apiVersion || !request.convert)) {
    keepManagers(old, object, subresource);
    return;
  }
  const self = { manager: request.manager || 'unknown', operation: 'Update' as const, apiVersion, subresource };
  const out: Managed[] = [];
  let mine: Fields = NO_FIELDS;
  for (const m of managers) {
    const delta = deltas.at(m.apiVersion);
    if (delta === 'gone') continue;
    let { fields } = m;
    const isSelf = sameManager(m, self);
    if (delta?.removed) fields = recursiveDifferenceFields(fields, delta.removed);
    if (isSelf) {
      mine = fields;
      if (own !== 'gone' && own?.set) continue;
    } else if (delta?.set) fields = differenceFields(fields, delta.set);
    if (!isEmptyNode(fields)) out.push(fields === m.fields ? m : { ...m, fields });
  }
  if (own !== 'gone' && own?.set) out.push({ ...self, time: formatTime(request.now), fields: unionFields(mine, own.set) });
  setManagers(object, capUpdateManagers(out));
}

function currentManagers(old: KubeObject | undefined, object: KubeObject, subresource: string): Managed[] {
  if (subresource === '') {
    const given = object.metadata.managedFields;
    if (isReset(given)) return [];
    const managers = decodeManagers(given);
    if (managers && managers.length > 0) return managers;
  }
  return decodeManagers(old?.metadata.managedFields) ?? [];
}

/** Nothing changed: the entries stay as they are, without decoding and encoding them again. */
function keepManagers(old: KubeObject | undefined, object: KubeObject, subresource: string): void {
  const given = object.metadata.managedFields;
  if (subresource === '' && given && given.length > 0 && decodeManagers(given)) return;
  const before = old?.metadata.managedFields;
  if (before && before.length > 0 && !(subresource === '' && isReset(given))) object.metadata.managedFields = before;
  else delete object.metadata.managedFields;
}

export function setManagers(object: KubeObject, managers: readonly Managed[]): void {
  const entries = encodeManagers(managers);
  if (entries) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}
