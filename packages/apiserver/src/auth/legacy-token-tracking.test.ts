import { expect, it } from 'vitest';
import type { KubeObject } from '@coxswain/api';
import { silentLogger } from '@coxswain/sdk';
import { LegacyTokenTracking } from './legacy-token-tracking.js';

const NOON = Date.parse('2026-03-04T12:00:00Z');

function tracking(status = 200) {
  const sent: { method: string; path: string; body: object }[] = [];
  let map: KubeObject | undefined;
  let now = NOON;
  const it = new LegacyTokenTracking({
    transport: {
      request: ({ method, path, body }: { method: string; path: string; body?: unknown }) => {
        sent.push({ method, path, body: JSON.parse(String(body)) as object });
        return Promise.resolve({ status, headers: {}, body: Buffer.from('') });
      },
    } as never,
    configMaps: { get: () => (map ? ({ object: map } as never) : undefined) },
    clock: { now: () => now },
    logger: silentLogger,
  });
  return {
    it,
    sent,
    put: (data: object) => void (map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: '7' }, data }),
    wait: (ms: number) => (now += ms),
  };
}

const secret = (labels?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'n', uid: 'u', ...(labels && { labels }) },
});

it('says since when tokens are tracked, and begins anew when that is no day', async () => {
  const { it: legacy, sent, put, wait } = tracking();
  await legacy.keep();
  expect(sent[0]).toMatchObject({
    method: 'POST',
    body: { metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking' }, data: { since: '2026-03-04' } },
  });
  wait(60_000);
  await legacy.keep();
  expect(sent).toHaveLength(1);
  wait(30 * 60_000);
  await legacy.keep();
  expect(sent).toHaveLength(2);
  put({ since: '2025-01-01' });
  await legacy.keep();
  expect(sent).toHaveLength(2);
  put({ since: 'long ago' });
  await legacy.keep();
  expect(sent[2]).toMatchObject({ method: 'PATCH', body: { metadata: { resourceVersion: '7' }, data: { since: '2026-03-04' } } });
});

it('writes the day of the last use on the Secret, once', () => {
  const { it: legacy, sent, wait } = tracking();
  const label = 'kubernetes.io/legacy-token-last-used';
  legacy.used(secret());
  legacy.used(secret());
  expect(sent).toEqual([{ method: 'PATCH', path: '/api/v1/namespaces/n/secrets/s', body: { metadata: { uid: 'u', labels: { [label]: '2026-03-04' } } } }]);
  wait(86_400_000);
  legacy.used(secret({ [label]: '2026-03-05' }));
  legacy.used(secret({ [label]: '2026-03-06' }));
  expect(sent).toHaveLength(1);
  legacy.used(secret({ [label]: '2026-03-04' }));
  expect(sent).toHaveLength(2);
});
