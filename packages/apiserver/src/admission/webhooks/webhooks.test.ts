import { describe, expect, it } from 'vitest';
import { startTestServer } from '../../testing/start-test-server.js';
import type { TestServer } from '../../testing/start-test-server.js';
import { jsonPatch, reviewed, startWebhook } from '../../testing/start-webhook.js';
import type { Answerer, TestWebhook } from '../../testing/start-webhook.js';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: ['configmaps'] }];

const configMap = (name: string, extra: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' }, ...extra });

async function configure(api: TestServer, hook: TestWebhook, kind: 'Mutating' | 'Validating', ...webhooks: object[]): Promise<void> {
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: 'hooks' },
    webhooks: webhooks.map((webhook, i) => ({
      name: `h${i}.example.com`,
      clientConfig: { url: `${hook.url}/h${i}`, caBundle: hook.caBundle },
      rules: RULES,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...webhook,
    })),
  };
  const { status, text } = await api.call('POST', `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`, body);
  expect(status, text).toBe(201);
}

async function setUp(kind: 'Mutating' | 'Validating', answer: Answerer, ...webhooks: object[]) {
  const hook = await startWebhook(answer);
  const api = await startTestServer();
  await configure(api, hook, kind, ...webhooks);
  return {
    hook,
    api,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await hook[Symbol.asyncDispose]();
    },
  };
}

describe('mutating webhooks', () => {
  it('changes the object, passes warnings on and tells what it is about', async () => {
    await using t = await setUp(
      'Mutating',
      (call) => reviewed(call, { ...jsonPatch([{ op: 'add', path: '/data/b', value: '2' }]), warnings: ['careful'] }),
      {},
    );
    const { status, json, headers } = await t.api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(status).toBe(201);
    expect(json.data).toEqual({ a: '1', b: '2' });
    expect(String(headers.warning)).toContain('careful');
    const { request } = t.hook.calls[0]?.body ?? {};
    expect(request).toMatchObject({
      operation: 'CREATE',
      namespace: 'default',
      name: 'a',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { resource: 'configmaps' },
      userInfo: { username: 'admin' },
      dryRun: false,
      options: { kind: 'CreateOptions' },
    });
    expect(request.object.metadata.name).toBe('a');
    expect(t.hook.calls[0]?.url).toContain('timeout=10s');
  });

  it('asks again whoever wants to see what others have changed', async () => {
    const answer: Answerer = (call) =>
      reviewed(
        call,
        call.url.startsWith('/h1')
          ? jsonPatch([{ op: 'add', path: '/data/late', value: 'x' }])
          : call.body.request.object.data.late
            ? jsonPatch([{ op: 'add', path: '/data/seen', value: 'y' }])
            : {},
      );
    await using t = await setUp('Mutating', answer, { reinvocationPolicy: 'IfNeeded' }, {});
    const { json } = await t.api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(json.data).toEqual({ a: '1', late: 'x', seen: 'y' });
    expect(t.hook.calls.map(({ url }) => url.slice(0, 3))).toEqual(['/h0', '/h1', '/h0']);
  });

  it.each([
    [
      'the wrong uid',
      (call: { body: { request: { uid: string } } }) => ({ ...reviewed(call as never, {}), response: { uid: 'x', allowed: true } }),
      'expected response.uid=',
    ],
    ['garbage', () => '{', 'json parse error'],
    ['no response', () => ({}), 'webhook response was absent'],
    ['a patch that is none', (call: never) => reviewed(call, { patchType: 'JSONPatch', patch: 'e30=' }), 'a JSON patch is a list'],
    ['another patch type', (call: never) => reviewed(call, { patchType: 'Merge', patch: 'W10=' }), 'invalid response.patchType'],
  ])('fails on %s', async (_, answer, text) => {
    await using t = await setUp('Mutating', answer as Answerer, {});
    const { status, json } = await t.api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(status).toBe(500);
    expect(json.message).toContain('failed calling webhook "h0.example.com"');
    expect(json.message).toContain(text);
  });

  it('goes on without a webhook whose failure is to be ignored', async () => {
    await using t = await setUp('Mutating', () => 'nonsense', { failurePolicy: 'Ignore' });
    expect((await t.api.call('POST', CONFIG_MAPS, configMap('a'))).status).toBe(201);
  });

  it('waits for an answer no longer than it is told', async () => {
    await using t = await setUp('Mutating', () => undefined, { timeoutSeconds: 1 });
    const { status, json } = await t.api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(status).toBe(500);
    expect(json.message).toContain('?timeout=1s": context deadline exceeded');
  });
});

describe('validating webhooks', () => {
  const deny: Answerer = (call) => reviewed(call, { allowed: false, status: { code: 403, message: 'not today', reason: 'Forbidden' } });

  it('refuses in the words of the webhook', async () => {
    await using t = await setUp('Validating', deny, {});
    const { status, json } = await t.api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(status).toBe(403);
    expect(json).toMatchObject({ reason: 'Forbidden', message: 'admission webhook "h0.example.com" denied the request: not today' });
  });

  it('asks only about what rules, selectors and conditions take in', async () => {
    await using t = await setUp('Validating', deny, {
      objectSelector: { matchLabels: { check: 'yes' } },
      namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['default'] }] },
      matchConditions: [{ name: 'not-exempt', expression: "!object.metadata.name.startsWith('free') && request.userInfo.username == 'admin'" }],
    });
    const labels = { check: 'yes' };
    expect((await t.api.call('POST', CONFIG_MAPS, configMap('a'))).status).toBe(201);
    expect((await t.api.call('POST', CONFIG_MAPS, configMap('free', { metadata: { name: 'free', labels } }))).status).toBe(201);
    expect((await t.api.call('POST', '/api/v1/namespaces/kube-system/configmaps', configMap('b', { metadata: { name: 'b', labels } }))).status).toBe(201);
    expect((await t.api.call('POST', CONFIG_MAPS, configMap('b', { metadata: { name: 'b', labels } }))).status).toBe(403);
  });

  it('tells a webhook that copes with it of a dry run', async () => {
    await using t = await setUp('Validating', (call) => reviewed(call, {}), { sideEffects: 'NoneOnDryRun' });
    expect((await t.api.call('POST', `${CONFIG_MAPS}?dryRun=All`, configMap('a'))).status).toBe(201);
    expect(t.hook.calls[0]?.body.request).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } });
  });

  it('reaches a service through its endpoints', async () => {
    const hook = await startWebhook((call) => reviewed(call, { allowed: false }));
    await using api = await startTestServer();
    await api.call('POST', '/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'hook' },
      spec: { ports: [{ port: 443, targetPort: hook.port }], selector: { a: 'b' } },
    });
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hook-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
      ports: [{ name: '', port: hook.port }],
    };
    // Validation keeps loopback addresses out of slices: this one goes into the store.
    await api.store.txn({ compare: [], success: [{ type: 'put', key: '/registry/endpointslices/default/hook-1', value: Buffer.from(JSON.stringify(slice)) }] });
    await configure(api, hook, 'Validating', { clientConfig: { service: { namespace: 'default', name: 'hook', path: '/v' }, caBundle: hook.caBundle } });
    const { status, json } = await api.call('POST', CONFIG_MAPS, configMap('a'));
    expect(status).toBe(400);
    expect(json.message).toBe('admission webhook "h0.example.com" denied the request without explanation');
    expect(hook.calls[0]?.headers.host).toBe('hook.default.svc');
    await hook[Symbol.asyncDispose]();
  });
});
