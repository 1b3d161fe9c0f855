import type { JsonObject } from '@coxswain/api';
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { ApiError } from '../status/api-error.js';
import { cloneJson, isJsonObject } from '../util/json.js';

/** Upstream's limit. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** Upstream's limit, too: what the copies of one patch may add up to, in bytes of JSON. Forty of them could double the object forty times. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;
const OPERATIONS: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/**
 * RFC 6902. Returns a new object that shares nothing with the input. Throws 400 for what is not a JSON patch, 413 for too many
 * operations, 422 for one that cannot be applied (a failed `test` included).
 */
export function applyJsonPatch(object: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw ApiError.badRequest('error decoding patch: a JSON patch is a list of operations');
  if (patch.length > MAX_JSON_PATCH_OPERATIONS) {
    throw ApiError.requestEntityTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${patch.length}`);
  }
  patch.forEach((operation: unknown, i) => {
    if (!isJsonObject(operation) || !OPERATIONS.has(operation['op']) || typeof operation['path'] !== 'string') {
      throw ApiError.badRequest(`error decoding patch: operation ${i} is not valid: ${JSON.stringify(operation)}`);
    }
  });
  let result: unknown = cloneJson(object);
  let copied = 0;
  for (const [i, operation] of (cloneJson(patch) as Operation[]).entries()) {
    try {
      if (operation.op === 'copy') copied += (JSON.stringify(fastJsonPatch.getValueByPointer(result, operation.from)) ?? '').length;
      if (copied <= MAX_COPIED_BYTES) result = fastJsonPatch.applyOperation(result, operation, true, true, true, i).newDocument;
    } catch (error) {
      throw unprocessablePatch((error as Error).message.split('\n')[0] ?? '');
    }
    if (copied > MAX_COPIED_BYTES) {
      throw unprocessablePatch(`unable to copy: the copies of the patch add up to ${copied} bytes, exceeding the limit ${MAX_COPIED_BYTES}`);
    }
  }
  if (!isJsonObject(result)) throw unprocessablePatch('the patch replaces the object with something else');
  return result;
}

/** Upstream's answer to a patch that does not apply, and what is wrong with it. */
export function unprocessablePatch(why: string): ApiError {
  return ApiError.of(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`);
}
