import type { Metric } from '../stats/prometheus.js';

/**
 * The answer of /healthz, or of one of its checks below it: `ok`, or with `?verbose` and whenever something is wrong a line for each check.
 * `checks`: what is wrong, by name; `query` may `exclude` some.
 */
export function healthAnswer(
  checks: Readonly<Record<string, readonly string[]>>,
  parts: readonly string[],
  query: URLSearchParams,
): { readonly status: number; readonly body: string } {
  const [one] = parts;
  if (one !== undefined && !Object.hasOwn(checks, one)) return { status: 404, body: '404 page not found\n' };
  const excluded = query.getAll('exclude');
  const asked = Object.entries(checks).filter(([name]) => one === undefined || name === one);
  const bad = asked.filter(([name, problems]) => problems.length > 0 && !excluded.includes(name));
  if (one !== undefined) return bad.length > 0 ? { status: 500, body: `internal server error: ${bad[0]?.[1].join('; ')}\n` } : { status: 200, body: 'ok' };
  if (bad.length === 0 && !query.has('verbose')) return { status: 200, body: 'ok' };
  const lines = asked.map(([name, problems]) =>
    excluded.includes(name) ? `[+]${name} excluded: ok\n` : problems.length > 0 ? `[-]${name} failed: ${problems.join('; ')}\n` : `[+]${name} ok\n`,
  );
  return { status: bad.length > 0 ? 500 : 200, body: `${lines.join('')}healthz check ${bad.length > 0 ? 'failed' : 'passed'}\n` };
}

/** What /metrics/slis shows of the checks that were asked for. */
export class HealthMetrics {
  readonly #last = new Map<string, boolean>();
  readonly #count = new Map<string, number>();

  seen(checks: Readonly<Record<string, readonly string[]>>): void {
    for (const [name, problems] of Object.entries(checks)) {
      const well = problems.length === 0;
      this.#last.set(name, well);
      const key = `${name} ${well ? 'success' : 'error'}`;
      this.#count.set(key, (this.#count.get(key) ?? 0) + 1);
    }
  }

  metrics(): Metric[] {
    return [
      {
        name: 'kubernetes_healthcheck',
        help: 'This metric records the result of a single healthcheck.',
        type: 'gauge',
        samples: [...this.#last].map(([name, well]) => ({ labels: { name, type: 'healthz' }, value: well ? 1 : 0 })),
      },
      {
        name: 'kubernetes_healthchecks_total',
        help: 'This metric records the results of all healthcheck.',
        type: 'counter',
        samples: [...this.#count].map(([key, value]) => {
          const [name = '', status = ''] = key.split(' ');
          return { labels: { name, status, type: 'healthz' }, value };
        }),
      },
    ];
  }
}
