import { ApiError, apiErrorOf, parseDuration } from '@coxswain/apimachinery';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { textResponse } from './request/api-request.js';
import type { ApiRequest, ApiResponse } from './request/api-request.js';
import { parseQuery, queryBoolean } from './request/query.js';
import { RequestContext } from './request/request-context.js';
import { parseRequestInfo } from './request/request-info.js';
import type { RequestInfo } from './request/request-info.js';
import { statusResponse } from './request/status-response.js';
import type { AuditLog, AuditRecord } from './audit/audit-log.js';
import type { Authentication } from './auth/authentication.js';
import type { Authorization } from './auth/authorization.js';
import { impersonate } from './auth/impersonation.js';
import type { FlowControl } from './flowcontrol/flow-control.js';
import type { InFlight } from './http/in-flight.js';
import { RequestDeadlines } from './http/request-deadlines.js';
import type { RequestMetrics } from './health/request-metrics.js';
import { mapMaybe } from './request/maybe-promise.js';
import type { RequestTracer } from './tracing/request-tracer.js';

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
  /** Instead of the plain limits. */
  readonly flowControl?: FlowControl;
  readonly audit?: AuditLog;
  readonly tracer?: RequestTracer;
  /** After which a request that is not long-running is answered with 504. */
  readonly requestTimeoutMs: number;
  readonly metrics: RequestMetrics;
  /** Asked in order for what is not a resource. */
  readonly paths: readonly PathHandler[];
  /** Resource requests. */
  readonly resources: (context: RequestContext) => Promise<ApiResponse> | ApiResponse;
}

/** The API server's own user, for what it does to its own objects. */
export const SELF_NAME = 'system:apiserver';

/**
 * The chain every request goes through, from HTTP or from inside the process: limits → authenticate → audit → impersonate → its turn →
 * authorize → answer. Never rejects.
 */
export class ApiHandler {
  readonly #deadlines: RequestDeadlines;

  constructor(readonly options: ApiHandlerOptions) {
    this.#deadlines = new RequestDeadlines(options.clock);
  }

  handle(request: ApiRequest): Promise<ApiResponse> | ApiResponse {
    const { clock, metrics, inFlight, flowControl, audit } = this.options;
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
    const limited = !longRunning && !flowControl;
    if (limited && !inFlight.enter(info.verb)) {
      return statusResponse(
        ApiError.tooManyRequests('The request is over the limit of requests in flight, please try again later.', 1),
        request.headers.accept,
      );
    }
    let context: RequestContext | undefined;
    let record: AuditRecord | undefined;
    let seat: string | undefined;
    let seats = 1;
    let flow: Readonly<Record<string, string>> | undefined;
    let traced: ((status: number) => void) | undefined;
    let finished = false;
    const finish = (response: ApiResponse): ApiResponse => {
      // After its deadline a request has been answered; what comes of it now is nobody's concern.
      if (finished) return response;
      finished = true;
      if (limited) inFlight.leave(info.verb);
      if (seat !== undefined) flowControl?.pool.leave(seat, seats);
      metrics.observe(info, response, clock.monotonic() - started);
      traced?.(response.status);
      const recorded = record ? record.answered(response) : response;
      return context ? withContext(recorded, context, flow) : recorded;
    };
    const failed = (error: unknown): ApiResponse => finish(statusResponse(this.#log(error, info), request.headers.accept));
    try {
      const answer = mapMaybe(this.options.authentication.authenticate(request), (user) => {
        context = new RequestContext(request, info, query, user, this.options.random.uuid(), clock.now());
        const current = context;
        // What the server asks itself is no traffic.
        if (user.name !== SELF_NAME) {
          metrics.clients.of(current.userAgent, user).request();
          traced = this.options.tracer?.begin(current);
        }
        record = audit?.begin(current);
        return mapMaybe(impersonate(current, this.options.authorization), (effective) => {
          context = effective;
          if (record && effective !== current) record.impersonated(effective.user, effective.impersonationConstraint);
          const go = () => mapMaybe(this.options.authorization.check(effective), () => this.#dispatch(effective));
          const classified = flowControl?.classify(effective.user, info);
          if (!flowControl || !classified) return go();
          flow = classified.headers;
          if (longRunning) return go();
          seats = flowControl.seats(classified, info, query);
          const turn = flowControl.enter(classified, effective.user, info, seats);
          const seated = () => {
            seat = classified.level;
            if (!finished) return go();
            // Too late: the deadline has passed while it waited.
            flowControl.pool.leave(seat, seats);
            throw ApiError.timeout('request did not complete within the allotted timeout', 0);
          };
          return turn ? turn.then(seated) : seated();
        });
      });
      if (!(answer instanceof Promise)) return finish(answer);
      if (longRunning) return answer.then(finish, failed);
      return this.#inTime(answer, query, finish, failed);
    } catch (error) {
      return failed(error);
    }
  }

  #inTime(
    answer: Promise<ApiResponse>,
    query: URLSearchParams,
    finish: (response: ApiResponse) => ApiResponse,
    failed: (error: unknown) => ApiResponse,
  ): Promise<ApiResponse> {
    return new Promise((resolve) => {
      const expire = () => resolve(failed(ApiError.timeout('request did not complete within the allotted timeout', 0)));
      const cancel = this.#deadlines.add(timeoutOf(query, this.options.requestTimeoutMs), expire);
      const settle = (response: ApiResponse) => {
        cancel();
        resolve(response);
      };
      answer.then(
        (response) => settle(finish(response)),
        (error: unknown) => settle(failed(error)),
      );
    });
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
export function isLongRunning({ verb, resource, path }: RequestInfo): boolean {
  if (resource === undefined) return path.startsWith('/debug/pprof/');
  return verb === 'watch' || STREAMING.has(resource.subresource);
}

function nameIn(query: URLSearchParams): string | undefined {
  const selector = query.get('fieldSelector');
  if (!selector) return undefined;
  const match = /(?:^|,)metadata\.name==?([^,=!\\]+)(?:,|$)/.exec(selector);
  return match?.[1];
}

/** What the client wants, if that is less. */
function timeoutOf(query: URLSearchParams, most: number): number {
  const asked = query.size > 0 ? parseDuration(query.get('timeout') ?? '') : undefined;
  return asked === undefined || asked <= 0 ? most : Math.min(asked, most);
}

function withContext(response: ApiResponse, context: RequestContext, flow: Readonly<Record<string, string>> | undefined): ApiResponse {
  if (response.type === 'handled') return response;
  const headers: Record<string, string | string[]> = {};
  for (const name in response.headers) headers[name] = response.headers[name] as string | string[];
  headers['Audit-Id'] = context.auditId;
  for (const name in flow) headers[name] = flow[name] as string;
  if (context.warnings.length > 0) headers.Warning = context.warnings.map((text) => `299 - ${quoteHeader(text)}`);
  // As `{ ...response, headers }`, for the most frequent kind without looking for what there is.
  if (response.type === 'bytes')
    return { type: 'bytes', status: response.status, contentType: response.contentType, body: response.body, headers, object: response.object };
  return { ...response, headers };
}

/** Header values are one line of visible text. */
function quoteHeader(text: string): string {
  return `"${text
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .replace(/[\\"]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, '?')}"`;
}
