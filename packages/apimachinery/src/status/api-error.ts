import type { FieldError } from '@coxswain/api';
import { formatFieldErrors } from './field-errors.js';
import type { Status, StatusCause, StatusDetails, StatusReason } from './status.js';

/** A resource or a kind with its group; `group` is `''` for core. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** `deployments.apps`, `pods`: how messages name a resource. */
export function groupResourceText({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** Quotes as Go's `%q` does for the strings that occur in messages. */
export const quote = (text: string): string => JSON.stringify(text);

const textOf = (why: Error | string): string => (typeof why === 'string' ? why : why.message);

/**
 * Every failure of the API: carries the `Status` that goes over the wire. The named constructors use upstream's codes, reasons,
 * message texts and details (apimachinery `api/errors`).
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: Status,
    options?: ErrorOptions,
  ) {
    super(status.message ?? 'unknown', options);
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): StatusReason {
    return this.status.reason ?? '';
  }

  /** Seconds the server asks to wait before trying again; undefined when it does not ask. */
  get retryAfterSeconds(): number | undefined {
    const seconds = this.status.details?.retryAfterSeconds;
    return seconds ? seconds : undefined;
  }

  static of(code: number, reason: StatusReason, message: string, details?: StatusDetails, options?: ErrorOptions): ApiError {
    const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason };
    if (details) status.details = details;
    status.code = code;
    return new ApiError(status, options);
  }

  static notFound(resource: GroupResource, name: string): ApiError {
    return ApiError.of(404, 'NotFound', `${groupResourceText(resource)} ${quote(name)} not found`, detailsOf(resource, name));
  }

  static alreadyExists(resource: GroupResource, name: string): ApiError {
    return ApiError.of(409, 'AlreadyExists', `${groupResourceText(resource)} ${quote(name)} already exists`, detailsOf(resource, name));
  }

  /** No free name was found for a `generateName`. */
  static generateNameConflict(resource: GroupResource, name: string, retryAfterSeconds: number): ApiError {
    const message = `${groupResourceText(resource)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`;
    return ApiError.of(409, 'AlreadyExists', message, { ...detailsOf(resource, name), retryAfterSeconds });
  }

  static unauthorized(reason = ''): ApiError {
    return ApiError.of(401, 'Unauthorized', reason === '' ? 'not authorized' : reason);
  }

  /** `resource` undefined: a path outside of the API. */
  static forbidden(resource: GroupResource | undefined, name: string, why: Error | string): ApiError {
    if (!resource || (resource.group === '' && resource.resource === '')) {
      return ApiError.of(403, 'Forbidden', `forbidden: ${textOf(why)}`, {});
    }
    const subject = name === '' ? groupResourceText(resource) : `${groupResourceText(resource)} ${quote(name)}`;
    return ApiError.of(403, 'Forbidden', `${subject} is forbidden: ${textOf(why)}`, detailsOf(resource, name));
  }

  /** An update that lost a race; `why` defaults to the text clients know. */
  static conflict(
    resource: GroupResource,
    name: string,
    why: Error | string = 'the object has been modified; please apply your changes to the latest version and try again',
  ): ApiError {
    const message = `Operation cannot be fulfilled on ${groupResourceText(resource)} ${quote(name)}: ${textOf(why)}`;
    return ApiError.of(409, 'Conflict', message, detailsOf(resource, name));
  }

  static applyConflict(causes: StatusCause[], message: string): ApiError {
    return ApiError.of(409, 'Conflict', message, { causes });
  }

  static gone(message: string): ApiError {
    return ApiError.of(410, 'Gone', message);
  }

  /** A resourceVersion or continue token that is too old. */
  static expired(message: string): ApiError {
    return ApiError.of(410, 'Expired', message);
  }

  static invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): ApiError {
    const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
    const message = `${qualified} ${quote(name)} is invalid`;
    const causes = errors.map((e) => ({ reason: e.type as string, message: e.message, field: e.field }));
    const details: StatusDetails = { ...(name !== '' && { name }), ...(kind.group !== '' && { group: kind.group }), kind: kind.kind };
    if (causes.length > 0) details.causes = causes;
    return ApiError.of(422, 'Invalid', errors.length === 0 ? message : `${message}: ${formatFieldErrors(errors)}`, details);
  }

  static badRequest(message: string): ApiError {
    return ApiError.of(400, 'BadRequest', message);
  }

  static tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
    return ApiError.of(429, 'TooManyRequests', message, { retryAfterSeconds });
  }

  static serviceUnavailable(message: string): ApiError {
    return ApiError.of(503, 'ServiceUnavailable', message);
  }

  static methodNotSupported(resource: GroupResource, action: string): ApiError {
    const message = `${action} is not supported on resources of kind ${quote(groupResourceText(resource))}`;
    return ApiError.of(405, 'MethodNotAllowed', message, detailsOf(resource, ''));
  }

  static serverTimeout(resource: GroupResource, operation: string, retryAfterSeconds: number): ApiError {
    const message = `The ${operation} operation against ${groupResourceText(resource)} could not be completed at this time, please try again.`;
    return ApiError.of(500, 'ServerTimeout', message, { ...detailsOf(resource, operation), retryAfterSeconds });
  }

  static internalError(why: Error | string): ApiError {
    const text = textOf(why);
    const options = typeof why === 'string' ? undefined : { cause: why };
    return ApiError.of(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] }, options);
  }

  static timeout(message: string, retryAfterSeconds: number): ApiError {
    return ApiError.of(504, 'Timeout', `Timeout: ${message}`, { ...(retryAfterSeconds > 0 && { retryAfterSeconds }) });
  }

  static requestEntityTooLarge(message: string): ApiError {
    return ApiError.of(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
  }

  /** `accepted`: the media types that would have been understood. */
  static unsupportedMediaType(accepted: readonly string[]): ApiError {
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
    return ApiError.of(415, 'UnsupportedMediaType', message);
  }

  static notAcceptable(accepted: readonly string[]): ApiError {
    return ApiError.of(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
  }
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name !== '' && { name }), ...(group !== '' && { group }), kind: resource };
}
