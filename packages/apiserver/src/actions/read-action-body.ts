import { decode, type JsonObject, type KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { negotiate } from '../request/accept.js';
import { schemaOf } from '../protobuf/kinds.js';
import { decodeBody } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import { checkTypeMeta } from '../rest/decode-object.js';

/** The body of an action, of one of these kinds, its fields of the right types; apiVersion and kind may be left out. Throws 400. */
export async function readActionBody(context: RequestContext, kind: string, apiVersions: readonly string[]): Promise<KubeObject> {
  // Before anything happens: these kinds have no tables, and no metadata worth showing alone.
  negotiate(context.request.headers.accept as string | undefined, { tables: false, partial: false, protobuf: true });
  const body = await context.request.body();
  const { value } = decodeBody(body, context.request.headers['content-type']);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw ApiError.badRequest(`the body is not a ${kind}`);
  const object = value as KubeObject;
  checkTypeMeta(object);
  if ((object.kind ?? kind) !== kind || !apiVersions.includes(object.apiVersion ?? (apiVersions[0] as string))) {
    throw ApiError.badRequest(`${object.kind} in version ${JSON.stringify(object.apiVersion)} cannot be handled as a ${kind}`);
  }
  object.kind = kind;
  object.apiVersion ??= apiVersions[0] as string;
  object.metadata ??= {};
  const schema = schemaOf(object.apiVersion, kind);
  if (schema !== undefined) {
    const [problem] = decode(object as JsonObject, schema, { zeros: false }).errors;
    if (problem !== undefined) throw ApiError.badRequest(`${kind} in version ${JSON.stringify(object.apiVersion)} cannot be handled as a ${kind}: ${problem}`);
  }
  return object;
}
