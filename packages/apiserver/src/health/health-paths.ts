import { type HealthChecks, HealthPaths, PROMETHEUS_TEXT } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import { textResponse } from '../request/api-request.js';

/** What a server says of its health, and below `/metrics/slis` of how it was. */
export function healthPaths(checks: HealthChecks): PathHandler {
  const health = new HealthPaths(checks);
  return {
    handle({ info: { path }, query }) {
      if (path === '/metrics/slis') return { type: 'bytes', status: 200, contentType: PROMETHEUS_TEXT, body: Buffer.from(health.metrics()) };
      return health.answer(path, query)?.then(({ status, body }) => textResponse(status, body));
    },
  };
}
