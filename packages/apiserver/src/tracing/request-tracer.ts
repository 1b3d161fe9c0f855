import type { Clock, Random, UserInfo } from '@coxswain/sdk';
import type { RequestContext } from '../request/request-context.js';
import type { RequestInfo } from '../request/request-info.js';
import { readTraceParent, type Span } from './span.js';

/** Whose traces are gone on with, as upstream: everybody else could have everything sampled. */
const BELIEVED = ['system:masters', 'system:monitoring'];
const MILLION = 1_000_000;

export interface RequestTracerOptions {
  readonly samplingRatePerMillion: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Pick<Random, 'bytes' | 'int'>;
  readonly add: (span: Span) => void;
}

/** Decides which requests are traced, and makes a span of each. */
export class RequestTracer {
  constructor(readonly options: RequestTracerOptions) {}

  /** To be called when the request has been answered; undefined: it is not traced. */
  begin({ request, info, user, auditId, userAgent }: RequestContext): ((status: number) => void) | undefined {
    const { clock, random, samplingRatePerMillion, add } = this.options;
    const given = readTraceParent(headerOf(request.headers['traceparent']));
    const parent = given && isBelieved(user) ? given : undefined;
    const sampled = parent ? parent.sampled : samplingRatePerMillion > 0 && random.int(MILLION) < samplingRatePerMillion;
    if (!sampled) return undefined;
    const [start, began] = [clock.now(), clock.monotonic()];
    return (status) =>
      add({
        traceId: parent?.traceId ?? random.bytes(16),
        spanId: random.bytes(8),
        ...(parent ? { parentSpanId: parent.spanId } : given ? { link: given } : {}),
        name: spanName(request.method, info),
        start: nanoseconds(start),
        end: nanoseconds(start + clock.monotonic() - began),
        attributes: {
          'http.request.method': request.method,
          'url.path': info.path,
          'http.response.status_code': status,
          'user_agent.original': userAgent,
          'audit-id': auditId,
        },
        failed: status >= 500,
      });
  }
}

const nanoseconds = (ms: number): bigint => BigInt(Math.round(ms * 1000)) * 1000n;

const headerOf = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0]);

const isBelieved = ({ groups }: UserInfo): boolean => BELIEVED.some((group) => groups.includes(group));

/** The path without the names in it, so that there are few. */
function spanName(method: string, { resource }: RequestInfo): string {
  if (!resource) return method;
  const { group, version, namespace, name, subresource } = resource;
  const parts = [group === '' ? 'api' : `apis/${group}`, version, ...(namespace ? ['namespaces', '{:namespace}'] : []), resource.resource];
  return `${method} /${[...parts, ...(name ? ['{:name}'] : []), ...(subresource ? [subresource] : [])].join('/')}`;
}
