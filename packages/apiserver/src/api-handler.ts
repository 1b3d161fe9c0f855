import { ApiError, apiErrorOf } from '@coxswain/apimachinery';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { textResponse } from './request/api-request.js';
import type { ApiRequest, ApiResponse } from './request/api-request.js';
import { parseQuery, queryBoolean } from './request/query.js';
import { RequestContext } from './request/request-context.js';
import { parseRequestInfo } from './request/request-info.js';
import type { RequestInfo } from './request/request-info.js';
import { statusResponse } from './request/status-response.js';
import type { Authentication } from './auth/authentication.js';
import type { Authorization } from './auth/authorization.js';
import { impersonate } from './auth/impersonation.js';
import type { InFlight } from './http/in-flight.js';
import type { RequestMetrics } from './health/request-metrics.js';
import { mapMaybe } from './request/maybe-promise.js';

/** Answers everything that is not under /api or /apis, and those paths of them that are not resources. */
export interface PathHandler {
  /** Undefined: not mine. */
  handle(context: RequestContext): Promise<ApiResponse> | ApiResponse | undefined;
}

export interface ApiHandlerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly inFlight: InFlight;
  readonly metrics: RequestMetrics;
  /** Asked in order for what is not a resource. */
  readonly paths: readonly PathHandler[];
  /** Resource requests. */
  readonly resources: (context: RequestContext) => Promise<ApiResponse> | ApiResponse;
}

/**
 * The chain every request goes through, from HTTP or from inside the process: limits → authenticate → impersonate → authorize →
 * answer. Never rejects.
 */
export class ApiHandler {
  constructor(readonly options: ApiHandlerOptions) {}

  handle(request: ApiRequest): Promise<ApiResponse> | ApiResponse {
    const { clock, metrics, inFlight } = this.options;
    const started = clock.monotonic();
    let info: RequestInfo;
    let query: URLSearchParams;
    try {
      query = parseQuery(request.search);
      info = parseRequestInfo(request.method, request.path, queryBoolean(query, 'watch'), () => nameIn(query));
    } catch (error) {
      return statusResponse(toApiError(error), request.headers.accept);
    }
    const longRunning = isLongRunning(info);
    if (!longRunning && !inFlight.enter(info.verb)) {
      return statusResponse(ApiError.tooManyRequests('The request is over the limit of requests in flight, please try again later.', 1), request.headers.accept);
    }
    let context: RequestContext | undefined;
    const finish = (response: ApiResponse): ApiResponse => {
      if (!longRunning) inFlight.leave(info.verb);
      metrics.observe(info, response, clock.monotonic() - started);
      return context ? withContext(response, context) : response;
    };
    const failed = (error: unknown): ApiResponse => finish(statusResponse(this.#log(error, info), request.headers.accept));
    try {
      const answer = mapMaybe(this.options.authentication.authenticate(request), (user) => {
        context = new RequestContext(request, info, query, user, this.options.random.uuid(), clock.now());
        const current = context;
        return mapMaybe(impersonate(current, this.options.authorization), (effective) => {
          context = effective;
          return mapMaybe(this.options.authorization.check(effective), () => this.#dispatch(effective));
        });
      });
      return answer instanceof Promise ? answer.then(finish, failed) : finish(answer);
    } catch (error) {
      return failed(error);
    }
  }

  #dispatch(context: RequestContext): Promise<ApiResponse> | ApiResponse {
    if (context.info.resource) return this.options.resources(context);
    for (const handler of this.options.paths) {
      const response = handler.handle(context);
      if (response) return response;
    }
    return notFoundPage();
  }

  #log(error: unknown, info: RequestInfo): ApiError {
    const known = apiErrorOf(error);
    if (known && known.code < 500) return known;
    if (!known) this.options.logger.error('a request failed', { err: error, path: info.path, verb: info.verb });
    return known ?? toApiError(error);
  }
}

export function toApiError(error: unknown): ApiError {
  const known = apiErrorOf(error);
  if (known) return known;
  const failure = error instanceof Error ? error : new Error(String(error));
  switch ((failure as { code?: unknown }).code) {
    case 'unavailable':
      return ApiError.serviceUnavailable(failure.message);
    case 'no-space':
      return ApiError.internalError(new Error(`the store has no space left: ${failure.message}`));
    default:
      return ApiError.internalError(failure);
  }
}

/** What upstream answers for paths nobody serves. */
export function notFoundPage(): ApiResponse {
  return textResponse(404, '404 page not found\n');
}

const STREAMING = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Requests that may take for ever: outside the limits and timeouts. */
export function isLongRunning({ verb, resource }: RequestInfo): boolean {
  return resource !== undefined && (verb === 'watch' || STREAMING.has(resource.subresource));
}

function nameIn(query: URLSearchParams): string | undefined {
  const selector = query.get('fieldSelector');
  if (!selector) return undefined;
  const match = /(?:^|,)metadata\.name==?([^,=!\\]+)(?:,|$)/.exec(selector);
  return match?.[1];
}

function withContext(response: ApiResponse, context: RequestContext): ApiResponse {
  if (response.type === 'handled') return response;
  const headers: Record<string, string | string[]> = { ...response.headers, 'Audit-Id': context.auditId };
  if (context.warnings.length > 0) headers.Warning = context.warnings.map((text) => `299 - ${quoteHeader(text)}`);
  return { ...response, headers };
}

/** Header values are one line of visible text. */
function quoteHeader(text: string): string {
  return `"${text
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .replace(/[\\"]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, '?')}"`;
}
