import type { KubeObject } from '@coxswain/api';
import { canonicalJson, cloneJson } from '../util/json.js';
import { appliedFields } from './applied-fields.js';
import { compareObjects } from './compare.js';
import type { CompiledObject } from './compiled-type.js';
import { differenceFields, recursiveDifferenceFields, type Fields } from './fields.js';

export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * What `kubectl apply` (client-side) set and is still as it was: kubectl may take these fields over without conflicts when it moves to
 * server-side apply. Undefined when there is no usable annotation.
 */
export function unchangedSinceLastApplied(type: CompiledObject, live: KubeObject, apiVersion: string): Fields | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION];
  if (!text) return undefined;
  try {
    const applied = JSON.parse(text) as KubeObject;
    if (applied.apiVersion !== apiVersion) return undefined;
    let fields = appliedFields(type.tracked, applied, '');
    const delta = compareObjects(type.tracked, applied, live);
    if (delta?.set) fields = differenceFields(fields, delta.set);
    if (delta?.removed) fields = recursiveDifferenceFields(fields, delta.removed);
    return fields;
  } catch {
    return undefined;
  }
}

/** Keeps the annotation true after kubectl applied on the server, so that an older kubectl can go on. Changes `object`; true when it did. */
export function refreshLastApplied(object: KubeObject, applied: KubeObject): boolean {
  const annotations = object.metadata.annotations;
  if (!annotations?.[LAST_APPLIED_ANNOTATION]) return false;
  const copy = cloneJson(applied);
  if (copy.metadata?.annotations) delete copy.metadata.annotations[LAST_APPLIED_ANNOTATION];
  const text = `${canonicalJson(copy)}\n`;
  if (text === annotations[LAST_APPLIED_ANNOTATION]) return false;
  const { [LAST_APPLIED_ANNOTATION]: _old, ...others } = annotations;
  const size = Object.entries(others).reduce((n, [k, v]) => n + k.length + v.length, 0) + text.length;
  // More than annotations may hold: go on without.
  object.metadata = { ...object.metadata, annotations: size > 262_144 ? others : { ...others, [LAST_APPLIED_ANNOTATION]: text } };
  return true;
}
