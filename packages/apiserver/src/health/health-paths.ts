import type { PathHandler } from '../api-handler.js';
import { textResponse } from '../request/api-request.js';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';

export interface HealthCheck {
  readonly name: string;
  /** Undefined: fine; else why not. */
  check(): Promise<string | undefined> | string | undefined;
}

export interface HealthChecks {
  readonly healthz: readonly HealthCheck[];
  readonly livez: readonly HealthCheck[];
  readonly readyz: readonly HealthCheck[];
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const;

/** /healthz, /livez and /readyz, whole or by check, with `?verbose` and `?exclude=`. */
export function healthPaths(checks: HealthChecks): PathHandler {
  return {
    handle(context): Promise<ApiResponse> | undefined {
      const [, name = '', single] = context.info.path.split('/');
      const endpoint = ENDPOINTS.find((candidate) => candidate === name);
      if (!endpoint) return undefined;
      return answer(endpoint, checks[endpoint], single, context);
    },
  };
}

async function answer(endpoint: string, all: readonly HealthCheck[], single: string | undefined, context: RequestContext): Promise<ApiResponse> {
  const named = single ? all.filter((check) => check.name === single) : all;
  if (single && named.length === 0) return textResponse(404, '404 page not found\n');
  const excluded = new Set(context.query.getAll('exclude').flatMap((value) => value.split(',')));
  const lines: string[] = [];
  let failed = 0;
  for (const check of named) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    let problem: string | undefined;
    try {
      problem = await check.check();
    } catch (error) {
      problem = (error as Error).message;
    }
    if (problem === undefined) lines.push(`[+]${check.name} ok`);
    else {
      failed++;
      // The reason is in the log: health is open to everybody.
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0)
    lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map((name) => JSON.stringify(name)).join(',')}`);
  if (failed > 0) return textResponse(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  if (!context.query.has('verbose')) return textResponse(200, 'ok');
  return textResponse(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
}
