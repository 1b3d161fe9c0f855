import type { ApiError } from '@coxswain/apimachinery';
import type { ApiResponse } from './api-request.js';

export function statusResponse(error: ApiError): ApiResponse {
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  return { type: 'bytes', status: error.code, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(error.status)}\n`), headers };
}
