import { ApiError } from '@coxswain/apimachinery';

/** Upstream's answer to a resourceVersion the server has not reached. */
export function tooLarge(requested: number, current: number): ApiError {
  return ApiError.of(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
