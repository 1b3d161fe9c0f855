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
      const [, name = '', single] = /^\/([^/]+)(?:\/(.+))?$/.exec(context.info.path) ?? [];
      const endpoint = ENDPOINTS.find((candidate) => candidate === name);
      if (!endpoint) return undefined;
      return answer(endpoint, checks[endpoint], single, context);
    },
  };
}

async function answer(endpoint: string, all: readonly HealthCheck[], single: string | undefined, context: RequestContext): Promise<ApiResponse> {
  if (single !== undefined) {
    const check = all.find((each) => each.name === single);
    if (!check) return textResponse(404, '404 page not found\n');
    const problem = await problemOf(check);
    return problem === undefined ? textResponse(200, 'ok') : textResponse(500, `internal server error: ${problem}\n`);
  }
  const excluded = new Set(context.query.getAll('exclude'));
  const unknown = new Set(excluded);
  const lines: string[] = [];
  let failed = 0;
  for (const check of all) {
    if (excluded.has(check.name)) {
      unknown.delete(check.name);
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const problem = await problemOf(check);
    if (problem === undefined) lines.push(`[+]${check.name} ok`);
    else {
      failed++;
      // The reason is in the log: health is open to everybody.
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (unknown.size > 0)
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...unknown]
        .sort()
        .map((name) => JSON.stringify(name))
        .join(',')}`,
    );
  if (failed > 0) return textResponse(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  if (!context.query.has('verbose')) return textResponse(200, 'ok');
  return textResponse(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
}

async function problemOf(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check.check();
  } catch (error) {
    return (error as Error).message;
  }
}
