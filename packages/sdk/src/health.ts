import { Counter, Gauge, MetricRegistry } from './metrics.js';

export interface HealthCheck {
  readonly name: string;
  /** Undefined: well; else why not. Throwing is not being well. */
  check(): Promise<string | undefined> | string | undefined;
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const;
export type HealthEndpoint = (typeof ENDPOINTS)[number];

/** By endpoint; one that is absent is not served. */
export type HealthChecks = Readonly<Partial<Record<HealthEndpoint, readonly HealthCheck[]>>>;

/** Plain text. */
export interface HealthAnswer {
  readonly status: 200 | 404 | 500;
  readonly body: string;
}

/**
 * `/healthz`, `/livez` and `/readyz`, whole or by check, with `?verbose` and `?exclude=`, in upstream's words; and what `/metrics/slis` shows
 * of the checks that were asked for. Why a check of many failed is not told, as everybody may ask for them all; the path of the check itself tells it.
 */
export class HealthPaths {
  readonly #metrics = new MetricRegistry();
  readonly #last = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  readonly #count: Counter;

  constructor(private readonly checks: HealthChecks) {
    this.#metrics.register(
      new Gauge('kubernetes_healthcheck', 'Whether a check of the health was passed when it was asked for last.', () => this.#last.values()),
    );
    this.#count = this.#metrics.register(new Counter('kubernetes_healthchecks_total', 'Checks of the health that were asked for, by what came of them.'));
  }

  /** Undefined: not a path of these. */
  answer(path: string, query: URLSearchParams): Promise<HealthAnswer> | undefined {
    const [, name, single] = /^\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    const endpoint = ENDPOINTS.find((candidate) => candidate === name);
    const checks = endpoint && this.checks[endpoint];
    if (!checks) return undefined;
    return single === undefined ? this.#all(endpoint, checks, query) : one(checks.find((check) => check.name === single));
  }

  /** Prometheus text. */
  metrics(): string {
    return this.#metrics.expose();
  }

  async #all(endpoint: HealthEndpoint, checks: readonly HealthCheck[], query: URLSearchParams): Promise<HealthAnswer> {
    const excluded = new Set(query.getAll('exclude'));
    const lines: string[] = [];
    let failed = false;
    for (const check of checks) {
      const { name } = check;
      if (excluded.has(name)) {
        lines.push(`[+]${name} excluded: ok`);
        continue;
      }
      const well = (await problemOf(check)) === undefined;
      this.#seen(name, endpoint, well);
      failed ||= !well;
      lines.push(well ? `[+]${name} ok` : `[-]${name} failed: reason withheld`);
    }
    const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name)).sort();
    if (unknown.length > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}`);
    if (failed) return { status: 500, body: `${lines.join('\n')}\n${endpoint} check failed\n` };
    return { status: 200, body: query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok' };
  }

  #seen(name: string, type: HealthEndpoint, well: boolean): void {
    const labels = { name, type };
    this.#last.set(`${type}/${name}`, { labels, value: well ? 1 : 0 });
    this.#count.inc({ name, status: well ? 'success' : 'error', type });
  }
}

async function one(check: HealthCheck | undefined): Promise<HealthAnswer> {
  if (!check) return { status: 404, body: '404 page not found\n' };
  const problem = await problemOf(check);
  return problem === undefined ? { status: 200, body: 'ok' } : { status: 500, body: `internal server error: ${problem}\n` };
}

async function problemOf(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check.check();
  } catch (error) {
    return (error as Error).message;
  }
}
