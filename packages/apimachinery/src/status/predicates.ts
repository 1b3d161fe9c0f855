import { ApiError } from './api-error.js';
import type { StatusReason } from './status.js';

const KNOWN_REASONS: ReadonlySet<string> = new Set([
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'AlreadyExists',
  'Conflict',
  'Gone',
  'Expired',
  'Invalid',
  'ServerTimeout',
  'Timeout',
  'TooManyRequests',
  'BadRequest',
  'MethodNotAllowed',
  'NotAcceptable',
  'RequestEntityTooLarge',
  'UnsupportedMediaType',
  'InternalError',
  'ServiceUnavailable',
] satisfies StatusReason[]);

/** The ApiError in this error or in its chain of causes. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 16; e = e.cause, depth++) {
    if (e instanceof ApiError) return e;
  }
  return undefined;
}

/** An unknown reason falls back to the HTTP code, as upstream's predicates do. */
function is(error: unknown, reason: StatusReason, code?: number): boolean {
  const e = apiErrorOf(error);
  if (!e) return false;
  return e.reason === reason || (code !== undefined && e.code === code && !KNOWN_REASONS.has(e.reason));
}

export const isNotFound = (error: unknown): boolean => is(error, 'NotFound', 404);
export const isAlreadyExists = (error: unknown): boolean => is(error, 'AlreadyExists');
export const isConflict = (error: unknown): boolean => is(error, 'Conflict', 409);
export const isInvalid = (error: unknown): boolean => is(error, 'Invalid', 422);
export const isGone = (error: unknown): boolean => is(error, 'Gone', 410);
export const isExpired = (error: unknown): boolean => is(error, 'Expired');
export const isNotAcceptable = (error: unknown): boolean => is(error, 'NotAcceptable', 406);
export const isUnsupportedMediaType = (error: unknown): boolean => is(error, 'UnsupportedMediaType', 415);
export const isMethodNotSupported = (error: unknown): boolean => is(error, 'MethodNotAllowed', 405);
export const isServiceUnavailable = (error: unknown): boolean => is(error, 'ServiceUnavailable', 503);
export const isBadRequest = (error: unknown): boolean => is(error, 'BadRequest', 400);
export const isUnauthorized = (error: unknown): boolean => is(error, 'Unauthorized', 401);
export const isForbidden = (error: unknown): boolean => is(error, 'Forbidden', 403);
export const isTimeout = (error: unknown): boolean => is(error, 'Timeout', 504);
export const isServerTimeout = (error: unknown): boolean => is(error, 'ServerTimeout');
export const isInternalError = (error: unknown): boolean => is(error, 'InternalError', 500);
export const isTooManyRequests = (error: unknown): boolean => is(error, 'TooManyRequests', 429) || apiErrorOf(error)?.code === 429;
export const isRequestEntityTooLarge = (error: unknown): boolean => is(error, 'RequestEntityTooLarge', 413) || apiErrorOf(error)?.code === 413;

/** Creating in a namespace that is going away: callers stop instead of retrying. */
export const hasStatusCause = (error: unknown, reason: string): boolean => apiErrorOf(error)?.status.details?.causes?.some((c) => c.reason === reason) ?? false;
