import type { Json, JsonObject } from '@coxswain/api';
import { ApiError } from '../status/api-error.js';
import { cloneJson, isJsonObject } from '../util/json.js';

/** RFC 7386: null removes, objects merge, everything else replaces. Returns a new object that shares nothing with the inputs. */
export function applyMergePatch(object: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw ApiError.badRequest('error decoding patch: a merge patch is an object');
  return merge(object, patch) as JsonObject;
}

function merge(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return cloneJson(patch);
  const out: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else define(out, key, merge(Object.hasOwn(out, key) ? out[key] : undefined, value));
  }
  // What the patch does not touch is still the target's own.
  for (const key in out) if (!Object.hasOwn(patch, key)) define(out, key, cloneJson(out[key] as Json));
  return out;
}

function define(out: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
  else out[key] = value;
}
