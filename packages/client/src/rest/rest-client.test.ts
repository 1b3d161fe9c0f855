import type { KubeObject } from '@coxswain/api';
import { isNotFound, isTooManyRequests } from '@coxswain/apimachinery';
import { describe, expect, it } from 'vitest';
import { settle, TestClock } from '../test-clock.js';
import { TransportError, type Transport, type TransportRequest, type TransportResponse } from '../transport/transport.js';
import { KubeClient } from './kube-client.js';

type Answer = { status?: number; headers?: Record<string, string>; body?: unknown } | Error;

function setup(...answers: Answer[]) {
  const requests: TransportRequest[] = [];
  const clock = new TestClock();
  const warnings: string[] = [];
  const transport: Transport = {
    async request(request): Promise<TransportResponse> {
      requests.push(request);
      const answer = answers.shift() ?? {};
      if (answer instanceof Error) throw answer;
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
      return { status: answer.status ?? 200, headers: answer.headers ?? {}, body: Buffer.from(body) };
    },
    stream: () => Promise.reject(new Error('unused')),
    close: () => Promise.resolve(),
  };
  return { requests, clock, warnings, client: new KubeClient({ transport, clock, userAgent: 'test/1', onWarning: (w) => warnings.push(w) }) };
}

const list = (names: string[], token?: string) => ({
  body: {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', ...(token && { continue: token }) },
    items: names.map((name) => ({ metadata: { name } })),
  },
});

describe('KubeClient', () => {
  it('speaks the API: paths, queries, bodies and content types', async () => {
    const { client, requests } = setup();
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a b', namespace: 'ns' } };
    await client.api.pods().create(pod as never, { fieldManager: 'me', dryRun: true });
    await client.api.pods('ns').patch('a b', 'strategic', { x: 1 }, { subresource: 'status' });
    await client.api.deployments('ns').apply({ metadata: { name: 'web' } }, { fieldManager: 'm', force: true });
    await client.api.nodes().delete('n1', { gracePeriodSeconds: 0, propagationPolicy: 'Orphan' });
    await client.api.pods().list({ labelSelector: 'a=b,c', limit: 3 });
    await client.api.pods('ns').subresource('p', 'eviction').create({ kind: 'Eviction' });
    expect(requests.map((r) => `${r.method} ${r.path}${r.query ? `?${r.query}` : ''} ${r.headers['content-type'] ?? ''}`)).toEqual([
      'POST /api/v1/namespaces/ns/pods?fieldManager=me&dryRun=All application/json',
      'PATCH /api/v1/namespaces/ns/pods/a%20b/status application/strategic-merge-patch+json',
      'PATCH /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=m&force=true application/apply-patch+yaml',
      'DELETE /api/v1/nodes/n1 application/json',
      'GET /api/v1/pods?labelSelector=a%3Db%2Cc&limit=3 ',
      'POST /api/v1/namespaces/ns/pods/p/eviction application/json',
    ]);
    expect(JSON.parse(String(requests[2]?.body))).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } });
    expect(JSON.parse(String(requests[3]?.body))).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Orphan' });
    expect(requests[0]?.headers['user-agent']).toBe('test/1');
  });

  it('throws what a Status says, and says what it can about anything else', async () => {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404, message: 'pods "x" not found' };
    const { client } = setup({ status: 404, body: status }, { status: 502, body: '<html>bad gateway</html>' });
    const pods = client.api.pods('ns');
    const error = await pods.get('x').catch((e: unknown) => e);
    expect([isNotFound(error), (error as Error).message]).toEqual([true, 'pods "x" not found']);
    await expect(pods.get('x')).rejects.toThrow('an error on the server ("<html>bad gateway</html>") has prevented the request from succeeding (get pods x)');
  });

  it('asks again after Retry-After, but not forever', async () => {
    const busy = { status: 429, headers: { 'retry-after': '2' } };
    const { client, clock, requests } = setup(busy, {});
    const got = client.api.pods('ns').get('x');
    await clock.advance(1999);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    await got;
    expect(requests).toHaveLength(2);
    const always = setup(...Array.from({ length: 20 }, () => busy));
    const failed = always.client.api
      .pods('ns')
      .get('x')
      .catch((e: unknown) => e);
    await always.clock.advance(60_000);
    expect(isTooManyRequests(await failed)).toBe(true);
    expect(always.requests).toHaveLength(11);
  });

  it('repeats reads over a broken connection, never writes', async () => {
    const broken = new TransportError('reset', true);
    const read = setup(broken, {});
    const got = read.client.api.pods('ns').get('x');
    await read.clock.advance(50);
    await got;
    const write = setup(broken, {});
    await expect(write.client.api.pods('ns').delete('x')).rejects.toBe(broken);
    await settle();
    expect(write.requests).toHaveLength(1);
  });

  it('pages through a list and gives items their kind', async () => {
    const { client, requests } = setup(list(['a', 'b'], 't1'), list(['c']));
    const seen: string[] = [];
    for await (const pod of client.api.pods('ns').items({ limit: 2 })) seen.push(`${pod.kind}/${pod.apiVersion}/${pod.metadata.name}`);
    expect(seen).toEqual(['Pod/v1/a', 'Pod/v1/b', 'Pod/v1/c']);
    expect(requests.map((r) => r.query)).toEqual(['limit=2', 'limit=2&continue=t1']);
  });

  it('passes warnings on', async () => {
    const { client, warnings } = setup({ headers: { warning: '299 - "old \\"x\\"", 299 - "two"' } });
    await client.get('/version');
    expect(warnings).toEqual(['old "x"', 'two']);
  });
});
