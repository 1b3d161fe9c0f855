import type { KubeObject } from '@coxswain/api';
import { formatGvk, gvkOf } from '../scheme/group-version.js';
import { ApiError } from '../status/api-error.js';
import { cloneJson, deepEqual } from '../util/json.js';
import { formatTime } from '../util/time.js';
import { appliedFields } from './applied-fields.js';
import { compareObjects } from './compare.js';
import { compileObject } from './compiled-type.js';
import { conflictError, type Conflict } from './conflicts.js';
import { differenceFields, equalFields, intersectFields, isEmptyNode, NO_FIELDS, recursiveDifferenceFields, unionFields, type Fields } from './fields.js';
import { refreshLastApplied, unchangedSinceLastApplied } from './last-applied.js';
import { decodeManagers, encodeManagers, sameManager, type Managed } from './managers.js';
import { mergeApplied } from './merge-applied.js';
import { pruneUnowned } from './prune.js';
import { nothingOf, VersionedDelta } from './track-changes.js';
import type { ApplyRequest, ApplyResult } from './types.js';

const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * Server-side apply: merges the configuration into the live object, removes what this manager applied before and nobody owns any more,
 * and records ownership. Throws an `ApiError`: 409 with one cause per field when another manager owns a value that would change and
 * `force` is false; 400 for a patch of another version or with managedFields; 500 for fields the type does not declare (as upstream).
 */
export function applyPatch(request: ApplyRequest): ApplyResult {
  const { patch, apiVersion, manager } = request;
  if (patch.apiVersion !== apiVersion) {
    throw ApiError.badRequest(`Incorrect version specified in apply patch. Specified patch version: ${patch.apiVersion}, expected: ${apiVersion}`);
  }
  if (patch.metadata?.managedFields != null) throw ApiError.badRequest('metadata.managedFields must be nil');
  const live = request.live ?? nothingOf(patch);
  const managers = decodeManagers(live.metadata.managedFields);
  if (!managers) throw ApiError.internalError('failed to decode managed fields');
  if (managers.length === 0 && request.live) managers.push(...beforeFirstApply(request, live));
  return new Apply(request, live, managers).run(manager === 'kubectl');
}

/** Whatever an untracked object has is owned by a manager of this name, so that applies meet conflicts instead of taking over. */
function beforeFirstApply({ schema, lookup, apiVersion, subresource = '', now }: ApplyRequest, live: KubeObject): Managed[] {
  const fields = compareObjects(compileObject(schema, lookup).tracked, nothingOf(live), live)?.set;
  return fields ? [{ manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion, subresource, time: formatTime(now), fields }] : [];
}

class Apply {
  readonly #self: Omit<Managed, 'time' | 'fields'>;
  readonly #type: ReturnType<typeof compileObject>;

  constructor(
    private readonly request: ApplyRequest,
    private readonly live: KubeObject,
    private readonly managers: readonly Managed[],
  ) {
    this.#self = { manager: request.manager || 'unknown', operation: 'Apply', apiVersion: request.apiVersion, subresource: request.subresource ?? '' };
    this.#type = compileObject(request.schema, request.lookup);
  }

  run(isKubectl: boolean): ApplyResult {
    const { request, live } = this;
    const previous = this.managers.find((m) => sameManager(m, this.#self));
    const others = this.managers.filter((m) => m !== previous);
    const claimed = this.#claimed();
    const object = this.#merged(previous, others, claimed);

    const deltas = new VersionedDelta(request, live, object);
    const conflicts = request.force ? [] : this.#conflicts(others, deltas, isKubectl);
    if (conflicts.length > 0) throw conflictError(conflicts);

    const kept: Managed[] = [];
    for (const m of others) {
      const delta = deltas.at(m.apiVersion);
      if (delta === 'gone') continue;
      let { fields } = m;
      if (delta?.removed) fields = recursiveDifferenceFields(fields, delta.removed);
      if (delta?.set) fields = differenceFields(fields, delta.set);
      if (!isEmptyNode(fields)) kept.push(fields === m.fields ? m : { ...m, fields });
    }
    const objectChanged = !request.live || !sameButManagers(live, object);
    const time = objectChanged ? formatTime(request.now) : previous?.time;
    if (!isEmptyNode(claimed)) kept.push({ ...this.#self, time, fields: claimed });

    const managersChanged = !sameManagers(this.managers, kept) || this.managers.length !== (live.metadata.managedFields?.length ?? 0);
    const entries = encodeManagers(kept);
    const { managedFields: _old, ...metadata } = object.metadata;
    // A copy: defaulting and `prepare…` will change it in place, and so far it shares with the live object.
    const result: KubeObject = cloneJson({ ...object, metadata });
    if (entries) result.metadata.managedFields = entries;
    const annotationChanged = isKubectl && refreshLastApplied(result, request.patch);
    return { object: result, changed: objectChanged || managersChanged || annotationChanged };
  }

  /** What the configuration claims, without what nobody may own here. */
  #claimed(): Fields {
    const { patch, resetFields } = this.request;
    const { namespace, name } = patch.metadata ?? {};
    const subject = `${namespace ?? ''}/${name ?? ''}; ${formatGvk(gvkOf(patch))}`;
    const fields = appliedFields(this.#type.tracked, patch, subject);
    return resetFields ? recursiveDifferenceFields(fields, resetFields.fields) : fields;
  }

  #merged(previous: Managed | undefined, others: readonly Managed[], claimed: Fields): KubeObject {
    const merged = mergeApplied(this.#type.full, this.live, this.request.patch) as KubeObject;
    if (!previous || isEmptyNode(previous.fields)) return merged;
    let owned = claimed;
    for (const m of others) owned = unionFields(owned, m.fields);
    const { convert, apiVersion } = this.request;
    if (convert && previous.apiVersion !== apiVersion) {
      const before = convert(merged, previous.apiVersion);
      // The old version is no longer served: what it owned cannot be told.
      if (!before) return merged;
      const pruned = pruneUnowned(compileObject(before.schema, this.request.lookup).full, before.object, previous.fields, owned);
      return pruned === before.object ? merged : { ...(convert(pruned, apiVersion)?.object ?? merged) };
    }
    const pruned = pruneUnowned(this.#type.full, merged, previous.fields, owned);
    return pruned === merged ? merged : { ...pruned };
  }

  #conflicts(others: readonly Managed[], deltas: VersionedDelta, isKubectl: boolean): Conflict[] {
    const allowed = isKubectl ? unchangedSinceLastApplied(this.#type, this.live, this.request.apiVersion) : undefined;
    const conflicts: Conflict[] = [];
    for (const owner of others) {
      const delta = deltas.at(owner.apiVersion);
      if (delta === 'gone' || !delta?.set) continue;
      let fields = intersectFields(owner.fields, delta.set);
      if (allowed) fields = differenceFields(fields, allowed);
      if (!isEmptyNode(fields)) conflicts.push({ owner, fields });
    }
    return conflicts;
  }
}

function sameButManagers(a: KubeObject, b: KubeObject): boolean {
  return deepEqual({ ...a, metadata: { ...a.metadata, managedFields: undefined } }, { ...b, metadata: { ...b.metadata, managedFields: undefined } });
}

function sameManagers(a: readonly Managed[], b: readonly Managed[]): boolean {
  return (
    a.length === b.length &&
    a.every((x) => b.some((y) => sameManager(x, y) && x.apiVersion === y.apiVersion && x.time === y.time && equalFields(x.fields ?? NO_FIELDS, y.fields)))
  );
}
