import { describe, expect, it } from 'vitest';
import { HealthPaths } from './health.js';

function pathsOf(problem: () => string | undefined): HealthPaths {
  const checks = [
    { name: 'ping', check: () => undefined },
    { name: 'poststarthook/one', check: async () => problem() },
  ];
  return new HealthPaths({ healthz: checks, readyz: checks });
}

describe('health', () => {
  it.each([
    [undefined, '/healthz', '', 200, 'ok'],
    [undefined, '/readyz', 'verbose', 200, '[+]ping ok\n[+]poststarthook/one ok\nreadyz check passed\n'],
    ['late', '/healthz', '', 500, '[+]ping ok\n[-]poststarthook/one failed: reason withheld\nhealthz check failed\n'],
    ['late', '/healthz', 'exclude=poststarthook/one', 200, 'ok'],
    [
      'late',
      '/healthz',
      'verbose&exclude=poststarthook/one&exclude=two',
      200,
      '[+]ping ok\n[+]poststarthook/one excluded: ok\nwarn: some health checks cannot be excluded: no matches for "two"\nhealthz check passed\n',
    ],
    ['late', '/healthz/ping', '', 200, 'ok'],
    ['late', '/healthz/poststarthook/one', '', 500, 'internal server error: late\n'],
    [undefined, '/healthz/etcd', '', 404, '404 page not found\n'],
  ])('%j: %s?%s', async (problem, path, query, status, body) =>
    expect(await pathsOf(() => problem).answer(path, new URLSearchParams(query))).toEqual({ status, body }),
  );

  it('takes a check that throws for one that fails', async () => {
    const health = pathsOf(() => {
      throw new Error('no answer');
    });
    expect(await health.answer('/healthz/poststarthook/one', new URLSearchParams())).toEqual({ status: 500, body: 'internal server error: no answer\n' });
  });

  it('has no other paths, nor an endpoint without checks', () => {
    const health = pathsOf(() => undefined);
    for (const path of ['/livez', '/metrics', '/', '/healthzz']) expect(health.answer(path, new URLSearchParams())).toBeUndefined();
  });

  it('/metrics/slis counts what was asked for, not what was excluded', async () => {
    let problem: string | undefined;
    const health = pathsOf(() => problem);
    await health.answer('/healthz', new URLSearchParams());
    problem = 'late';
    await health.answer('/healthz', new URLSearchParams());
    await health.answer('/readyz', new URLSearchParams('exclude=poststarthook/one'));
    const lines = health.metrics().split('\n');
    expect(lines).toContain('kubernetes_healthcheck{name="ping",type="healthz"} 1');
    expect(lines).toContain('kubernetes_healthcheck{name="poststarthook/one",type="healthz"} 0');
    expect(lines).toContain('kubernetes_healthchecks_total{name="poststarthook/one",status="success",type="healthz"} 1');
    expect(lines).toContain('kubernetes_healthchecks_total{name="poststarthook/one",status="error",type="healthz"} 1');
    expect(lines).toContain('kubernetes_healthchecks_total{name="ping",status="success",type="readyz"} 1');
    expect(lines.some((line) => line.includes('one') && line.includes('readyz'))).toBe(false);
  });
});
