import { jsonType, type KubeObject } from '@coxswain/api';
import { ApiError, formatGroupVersion } from '@coxswain/apimachinery';
import { decodeBody } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { FieldValidation } from './write-options.js';
import { checkShape } from './check-shape.js';

/** The object in a request body: of the right kind, its fields of the right types. Throws 400. */
export function decodeObject(context: RequestContext, served: ServedResource, body: Buffer, validation: FieldValidation): KubeObject {
  const { value, duplicates, yamlProblem } = decodeBody(body, context.request.headers['content-type'], validation !== 'Ignore', served.customMessage);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw ApiError.badRequest('the object provided is unrecognized (must be of type Object)');
  const object = value as KubeObject;
  checkKind(object, served);
  checkShape(context, served, object, { validation, duplicates, yamlProblem });
  return object;
}

/** apiVersion and kind must be those of the endpoint; absent ones are filled in. */
export function checkKind(object: KubeObject, served: ServedResource): void {
  checkTypeMeta(object);
  const { group, version, kind } = served.definition;
  const apiVersion = formatGroupVersion({ group, version });
  if (!object.apiVersion) object.apiVersion = apiVersion;
  if (!object.kind) object.kind = kind;
  if (object.apiVersion !== apiVersion) {
    throw ApiError.badRequest(`the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`);
  }
  if (object.kind !== kind) {
    throw ApiError.badRequest(
      `${object.kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: no kind ${JSON.stringify(object.kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  }
}

/** apiVersion and kind are strings, if there: to be asked before they are shown, since what is no string may not even be convertible to one. */
export function checkTypeMeta(object: KubeObject): void {
  for (const field of ['apiVersion', 'kind'] as const) {
    const value: unknown = object[field];
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw ApiError.badRequest(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go struct field .${field} of type string`,
      );
  }
}
