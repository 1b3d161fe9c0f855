import { PROTOBUF_CONTENT_TYPE } from '@coxswain/api';
import type { ApiError } from '@coxswain/apimachinery';
import { encodeKind } from '../protobuf/kinds.js';
import { formatOf } from './accept.js';
import type { ApiResponse } from './api-request.js';

/** An error in the format the client asked for. */
export function statusResponse(error: ApiError, accept?: string | string[]): ApiResponse {
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  if (formatOf(accept).format === 'protobuf') {
    const body = encodeKind(error.status);
    if (body) return { type: 'bytes', status: error.code, contentType: PROTOBUF_CONTENT_TYPE, body, headers };
  }
  return { type: 'bytes', status: error.code, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(error.status)}\n`), headers };
}
