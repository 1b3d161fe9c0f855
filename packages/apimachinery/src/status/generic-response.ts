import { ApiError, groupResourceText, quote, type GroupResource } from './api-error.js';
import type { StatusDetails, StatusReason } from './status.js';

const BY_CODE: Readonly<Record<number, readonly [StatusReason, string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request'],
};

export interface GenericResponse {
  readonly code: number;
  /** HTTP method. */
  readonly method: string;
  readonly resource?: GroupResource;
  readonly name?: string;
  readonly serverMessage: string;
  readonly retryAfterSeconds?: number;
}

/** The error for an answer that is not a Status: what the code says, with what the server said as a cause. */
export function genericServerResponse({ code, method, resource, name, serverMessage, retryAfterSeconds }: GenericResponse): ApiError {
  let [reason, message] = BY_CODE[code] ?? (['Unknown', `the server responded with the status code ${code} but did not return more information`] as const);
  if (code === 409 && method === 'POST') reason = 'AlreadyExists';
  else if (code === 403) [reason, message] = ['Forbidden', serverMessage];
  else if (code === 415) [reason, message] = ['UnsupportedMediaType', serverMessage];
  else if (code === 406) {
    reason = 'NotAcceptable';
    message =
      serverMessage === '' || serverMessage === 'unknown' ? 'the server was unable to respond with a content type that the client supports' : serverMessage;
  } else if (code >= 500 && !BY_CODE[code]) {
    reason = 'InternalError';
    message = `an error on the server (${quote(serverMessage)}) has prevented the request from succeeding`;
  }
  if (resource) message += ` (${[method.toLowerCase(), groupResourceText(resource), name].filter(Boolean).join(' ')})`;
  const details: StatusDetails = {
    ...(name && { name }),
    ...(resource?.group && { group: resource.group }),
    ...(resource && { kind: resource.resource }),
    causes: [{ reason: 'UnexpectedServerResponse', message: serverMessage === '' ? 'unknown' : serverMessage }],
    ...(retryAfterSeconds && { retryAfterSeconds }),
  };
  return ApiError.of(code, reason, message, details);
}
