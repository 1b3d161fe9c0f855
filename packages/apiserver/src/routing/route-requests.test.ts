import { systemClock, systemRandom } from '@coxswain/sdk';
import type { ApiRoute, ApiRouter } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { startWebhook } from '../testing/start-webhook.js';
import type { TestWebhook } from '../testing/start-webhook.js';
import { parseRoutes } from './parse-routes.js';
import { RuleRouter } from './rule-router.js';

const THINGS = '/api/v1/namespaces/default/configmaps';
const backendOf = (name: string) => startWebhook(({ url }) => ({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: {}, items: [], from: name, url }));
const pem = (hook: TestWebhook) => Buffer.from(hook.caBundle, 'base64').toString();

function rules(backends: Record<string, TestWebhook>, routes: readonly object[]): RuleRouter {
  const config = {
    apiVersion: 'apiserver.coxswain.dev/v1alpha1',
    kind: 'ApiRoutesConfiguration',
    backends: Object.entries(backends).map(([name, hook]) => ({ name, url: hook.url, certificateAuthority: pem(hook) })),
    routes,
  };
  return new RuleRouter(parseRoutes(JSON.stringify(config)), systemRandom);
}

describe('requests that other servers answer', () => {
  it('go where rules say, by verb and user, with who asks; the rest stay', async () => {
    await using canary = await backendOf('canary');
    const match = { verbs: ['list', 'create'], resources: ['configmaps'], users: ['bob'] };
    await using api = await startTestServer({
      authorizationModes: ['AlwaysAllow'],
      routers: [rules({ canary }, [{ name: 'bobs', backend: 'canary', match }])],
    });
    const routed = await api.call('GET', `${THINGS}?limit=5`, undefined, { token: 'bob' });
    expect(routed.json).toMatchObject({ from: 'canary', url: `${THINGS}?limit=5` });
    expect(routed.headers['x-coxswain-route']).toBe('bobs');
    expect(canary.calls.at(-1)?.headers).toMatchObject({ 'x-remote-user': 'bob', 'x-remote-group': 'system:authenticated' });
    expect(canary.calls.at(-1)?.headers.authorization).toBeUndefined();
    await api.call('POST', THINGS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, { token: 'bob' });
    expect(canary.calls.at(-1)?.body).toMatchObject({ metadata: { name: 'x' } });
    const own = await api.call('GET', THINGS);
    expect(own.json.from).toBeUndefined();
    expect(own.headers['x-coxswain-route']).toBeUndefined();
    expect((await api.call('GET', `${THINGS}/x`, undefined, { token: 'bob' })).status).toBe(404);
    expect((await api.call('GET', '/metrics')).text).toContain('apiserver_coxswain_routed_requests_total{route="bobs",outcome="routed"} 2');
  });

  it('only once they are allowed', async () => {
    await using canary = await backendOf('canary');
    await using api = await startTestServer({ routers: [rules({ canary }, [{ name: 'all', backend: 'canary' }])] });
    expect((await api.call('GET', THINGS, undefined, { token: 'bob' })).status).toBe(403);
    expect(canary.calls).toHaveLength(0);
  });

  it('go to the first router by precedence, and there to the first route by priority', async () => {
    await using one = await backendOf('one');
    await using two = await backendOf('two');
    const route = (name: string, hook: TestWebhook): ApiRoute => ({ name, backend: { name, target: { url: hook.url }, ca: pem(hook) }, failurePolicy: 'Fail' });
    const early: ApiRouter = { name: 'early', precedence: 10, route: ({ namespace }) => (namespace === 'early' ? [route('early', two)] : []) };
    const byRules = rules({ one, two }, [
      { name: 'low', backend: 'two' },
      { name: 'high', backend: 'one', priority: 1 },
    ]);
    await using api = await startTestServer({ routers: [byRules, early] });
    expect((await api.call('GET', THINGS)).json.from).toBe('one');
    expect((await api.call('GET', '/api/v1/namespaces/early/configmaps')).json.from).toBe('two');
  });

  it('fail, or go on, when nobody answers, as the route says', async () => {
    const gone = await backendOf('gone');
    await using second = await backendOf('second');
    const router = rules({ gone, second }, [
      { name: 'strict', backend: 'gone', failurePolicy: 'Fail', match: { namespaces: ['strict'] } },
      { name: 'lenient', backend: 'gone', failurePolicy: 'Ignore', match: { namespaces: ['default', 'both'] } },
      { name: 'next', backend: 'second', failurePolicy: 'Ignore', match: { namespaces: ['both'] } },
    ]);
    await gone[Symbol.asyncDispose]();
    await using api = await startTestServer({ routers: [router] });
    const refused = await api.call('GET', '/api/v1/namespaces/strict/configmaps');
    expect(refused).toMatchObject({ status: 503, json: { reason: 'ServiceUnavailable', message: expect.stringContaining('route "strict": backend "gone"') } });
    const own = await api.call('POST', THINGS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } });
    expect(own.status).toBe(201);
    expect((await api.call('GET', '/api/v1/namespaces/both/configmaps')).json.from).toBe('second');
  });

  it('leave the rest alone while a backend hangs', async () => {
    await using hung = await startWebhook(() => undefined);
    await using api = await startTestServer({ routers: [rules({ hung }, [{ name: 'hung', backend: 'hung', match: { namespaces: ['hung'] } }])] });
    let answered = 0;
    const stuck = Array.from({ length: 50 }, () =>
      api.call('GET', '/api/v1/namespaces/hung/configmaps').then(
        () => answered++,
        () => answered++,
      ),
    );
    while (hung.calls.length < 50) await systemClock.sleep(10);
    for (let i = 0; i < 50; i++) expect((await api.call('GET', THINGS)).status).toBe(200);
    expect(answered).toBe(0);
    await hung[Symbol.asyncDispose]();
    await Promise.all(stuck);
  });
});
