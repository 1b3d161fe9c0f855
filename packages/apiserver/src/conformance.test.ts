import { systemClock } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from './testing/memory-store.js';
import { configMap, startTestServer } from './testing/start-test-server.js';
import type { TestServer } from './testing/start-test-server.js';

/** What upstream's conformance tests of sig-api-machinery and sig-auth ask of the API server alone. Names are theirs. */
describe('conformance', () => {
  let api: TestServer;
  const store = new MemoryStore(systemClock);
  beforeAll(async () => {
    api = await startTestServer({ store });
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'e2e' } });
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await store.close();
  });
  const merge = (path: string, body: object) => api.call('PATCH', path, body, { type: 'application/merge-patch+json' });

  /** Every verb of a resource, as the "should support … API operations" tests go through them. */
  async function operations(path: string, create: object, spec: object, hasStatus: boolean) {
    const label = '?labelSelector=e2e%3Dyes';
    const made = await api.call('POST', path, create);
    expect(made.status, made.text).toBe(201);
    const { name } = made.json.metadata;
    expect((await api.call('GET', `${path}/${name}`)).json.metadata.uid).toBe(made.json.metadata.uid);
    expect((await api.call('GET', path + label)).json.items).toHaveLength(1);
    const patched = await merge(`${path}/${name}`, { metadata: { annotations: { patched: 'true' } } });
    expect(patched.json.metadata.annotations.patched).toBe('true');
    const updated = await api.call('PUT', `${path}/${name}`, { ...patched.json, spec: { ...patched.json.spec, ...spec } });
    expect([updated.status, updated.json.metadata?.generation], updated.text).toEqual([200, 2]);
    if (hasStatus) {
      expect((await api.call('GET', `${path}/${name}/status`)).status).toBe(200);
      const conditions = [{ type: 'PatchStatusFailed', status: 'False', reason: 'e2e', message: 'm', lastTransitionTime: '2020-01-01T00:00:00Z' }];
      const status = await merge(`${path}/${name}/status`, { status: { conditions } });
      expect(status.json.status.conditions, status.text).toContainEqual(expect.objectContaining({ type: 'PatchStatusFailed' }));
      const fresh = (await api.call('GET', `${path}/${name}`)).json;
      const put = await api.call('PUT', `${path}/${name}/status`, { ...fresh, status: { conditions: [{ ...conditions[0], type: 'Updated' }] } });
      expect(put.status, put.text).toBe(200);
    }
    const events = await api.watch(`${path}${label}&watch=true`, (seen) => seen.length >= 1);
    expect(events[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name } } });
    expect((await api.call('DELETE', `${path}/${name}`)).status).toBe(200);
    await api.call('POST', path, create);
    expect((await api.call('DELETE', path + label)).status).toBe(200);
    expect((await api.call('GET', path + label)).json.items).toHaveLength(0);
  }
  const metadata = { name: 'e2e-object', labels: { e2e: 'yes' } };
  const FLOW = 'flowcontrol.apiserver.k8s.io';

  it('FlowSchema and PriorityLevelConfiguration API', async () => {
    const groups = (await api.call('GET', '/apis')).json.groups.map((group: { name: string }) => group.name);
    expect(groups).toContain(FLOW);
    const subjects = [{ kind: 'User', user: { name: 'example' } }];
    const nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['/x'] }];
    const schema = { priorityLevelConfiguration: { name: 'global-default' }, matchingPrecedence: 9999, rules: [{ subjects, nonResourceRules }] };
    await operations(`/apis/${FLOW}/v1/flowschemas`, { metadata, spec: schema }, { matchingPrecedence: 9000 }, true);
    const level = { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } };
    const next = { limited: { nominalConcurrencyShares: 4, limitResponse: { type: 'Reject' } } };
    await operations(`/apis/${FLOW}/v1/prioritylevelconfigurations`, { metadata, spec: level }, next, true);
  });

  it('admission policy and webhook configuration API', async () => {
    const root = '/apis/admissionregistration.k8s.io/v1';
    const resourceRules = [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }];
    const policy = { matchConstraints: { resourceRules }, validations: [{ expression: 'true' }] };
    await operations(`${root}/validatingadmissionpolicies`, { metadata, spec: policy }, { failurePolicy: 'Ignore' }, true);
    await operations(
      `${root}/validatingadmissionpolicybindings`,
      { metadata, spec: { policyName: 'p', validationActions: ['Deny'] } },
      { validationActions: ['Audit'] },
      false,
    );
  });

  it('Discovery, confirm the PreferredVersion for each api group', async () => {
    for (const { name, preferredVersion, versions } of (await api.call('GET', '/apis')).json.groups) {
      const group = (await api.call('GET', `/apis/${name}`)).json;
      expect(group.preferredVersion).toEqual(preferredVersion);
      expect(versions.map((each: { groupVersion: string }) => each.groupVersion)).toContain(preferredVersion.groupVersion);
    }
  });

  it('Aggregated Discovery Endpoint Accept Headers', async () => {
    const ask = async (path: string, accept: string) => (await api.call('GET', path, undefined, { headers: { accept } })).headers['content-type'];
    const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    for (const path of ['/api', '/apis']) {
      expect(await ask(path, `${v2},application/json`)).toBe(v2);
      expect(await ask(path, 'application/json')).toBe('application/json');
      expect(await ask(path, '*/*')).toBe('application/json');
    }
  });

  it('API metadata HTTP return', async () => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { nonResourceAttributes: { path: '/', verb: 'get' } } };
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const answer = await api.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review, { headers });
    expect([answer.status, answer.json.reason]).toEqual([406, 'NotAcceptable']);
  });

  it('Server side field validation, typed object', async () => {
    const path = '/apis/apps/v1/namespaces/e2e/deployments';
    const body = (name: string) =>
      `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"${name}","unknownMeta":"x"},"spec":{"unknown1":1,"paused":true,"paused":false,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","unknownNested":1}]}}}}`;
    const strict = await api.call('POST', `${path}?fieldValidation=Strict`, body('d'));
    expect(strict.status).toBe(400);
    for (const part of [
      'strict decoding error',
      'unknown field "metadata.unknownMeta"',
      'unknown field "spec.unknown1"',
      'duplicate field "spec.paused"',
      'unknown field "spec.template.spec.containers[0].unknownNested"',
    ])
      expect(strict.json.message).toContain(part);
    const warned = await api.call('POST', `${path}?fieldValidation=Warn`, body('d'));
    expect([warned.status, String(warned.headers.warning)]).toEqual([201, expect.stringContaining('duplicate field \\"spec.paused\\"')]);
    const apply = await api.call('PATCH', `${path}/d2?fieldManager=m&fieldValidation=Strict`, body('d2'), { type: 'application/apply-patch+yaml' });
    expect([apply.status, apply.json.message]).toEqual([400, expect.stringContaining('line 1: key "paused" already set in map')]);
    const unknown = await api.call('PATCH', `${path}/d2?fieldManager=m`, body('d2'), { type: 'application/apply-patch+yaml' });
    expect(unknown.json.message).toMatch(/^failed to create typed patch object \(e2e\/d2; apps\/v1, Kind=Deployment\): errors:\n/);
    expect(unknown.json.message).toContain('.spec.unknown1: field not declared in schema');
    expect(unknown.json.message).toContain('.spec.template.spec.containers[name="c"].unknownNested: field not declared in schema');
    const mistyped = await api.call(
      'PATCH',
      `${path}/d2?fieldManager=m`,
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d2"},"spec":{"replicas":"three"}}',
      { type: 'application/apply-patch+yaml' },
    );
    expect([mistyped.status, mistyped.json.reason ?? '', mistyped.json.message]).toEqual([
      500,
      '',
      'failed to create typed patch object (e2e/d2; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
    ]);
  });

  it('API Chunking, continue listing from the last key even if the original version has been compacted away', async () => {
    const path = '/api/v1/namespaces/e2e/podtemplates';
    for (let i = 0; i < 12; i++)
      await api.call('POST', path, { metadata: { name: `t-${String(i).padStart(2, '0')}` }, template: { spec: { containers: [{ name: 'c', image: 'i' }] } } });
    const first = (await api.call('GET', `${path}?limit=4`)).json;
    expect(first.metadata.remainingItemCount).toBe(8);
    await api.call('DELETE', `${path}/t-05`);
    await store.compact((await store.status()).revision);
    const old = await api.call('GET', `${path}?limit=4&continue=${first.metadata.continue}`);
    expect([old.status, old.json.reason]).toEqual([410, 'Expired']);
    const next = await api.call('GET', `${path}?limit=4&continue=${old.json.metadata.continue}`);
    expect(next.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['t-04', 't-06', 't-07', 't-08']);
    const rest = (await api.call('GET', `${path}?continue=${next.json.metadata.continue}`)).json;
    expect(rest.items).toHaveLength(3);
  });

  it('watch-configmaps-label-changed, -closed-and-restarted, watch-consistency', async () => {
    const path = '/api/v1/namespaces/e2e/configmaps';
    const made = await api.call('POST', path, configMap('w', { metadata: { name: 'w', labels: { watch: 'yes' } } }));
    const from = made.json.metadata.resourceVersion;
    await merge(`${path}/w`, { metadata: { labels: { watch: 'no' } } });
    await merge(`${path}/w`, { metadata: { labels: { watch: 'yes' } } });
    await api.call('DELETE', `${path}/w`);
    const selected = `${path}?watch=true&labelSelector=watch%3Dyes&resourceVersion=${from}`;
    const seen = await api.watch(selected, (events) => events.length >= 3);
    expect(seen.map(({ type }) => type)).toEqual(['DELETED', 'ADDED', 'DELETED']);
    const again = await Promise.all([1, 2, 3].map(() => api.watch(selected, (events) => events.length >= 3)));
    for (const events of again) expect(events).toEqual(seen);
    const later = await api.watch(`${path}?watch=true&resourceVersion=${seen[0]?.object.metadata.resourceVersion}`, (events) => events.length >= 2);
    expect(later.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED']);
  });

  it('Confirm a server version', async () => {
    const { major, minor } = (await api.call('GET', '/version')).json;
    expect([major, minor]).toEqual(['1', '36']);
  });

  it('OIDC Discovery', async () => {
    const { json: document, headers } = await api.call('GET', '/.well-known/openid-configuration');
    expect(headers['cache-control']).toBe('public, max-age=3600');
    expect(document).toMatchObject({ issuer: 'https://kubernetes.default.svc', response_types_supported: ['id_token'] });
    const { keys } = (await api.call('GET', '/openid/v1/jwks')).json;
    expect(keys[0]).toMatchObject({ use: 'sig', kty: 'EC', alg: 'ES256' });
  });

  it('ServiceAccount lifecycle, Namespace patching and status', async () => {
    const path = '/api/v1/namespaces/e2e/serviceaccounts';
    await api.call('POST', path, { metadata: { name: 'sa', labels: { e2e: 'yes' } } });
    expect((await api.call('GET', '/api/v1/serviceaccounts?labelSelector=e2e%3Dyes')).json.items).toHaveLength(1);
    const sa = await api.call('PATCH', `${path}/sa`, { automountServiceAccountToken: false }, { type: 'application/strategic-merge-patch+json' });
    expect(sa.json.automountServiceAccountToken).toBe(false);
    expect((await api.call('DELETE', `${path}?labelSelector=e2e%3Dyes`)).status).toBe(200);
    const patched = await merge('/api/v1/namespaces/e2e', { metadata: { labels: { testLabel: 'testValue' } } });
    expect(patched.json.metadata.labels).toMatchObject({ testLabel: 'testValue', 'kubernetes.io/metadata.name': 'e2e' });
    const conditions = [{ type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'Patched by an e2e test', lastTransitionTime: '2020-01-01T00:00:00Z' }];
    const status = await merge('/api/v1/namespaces/e2e/status', { metadata: { annotations: { e2e: 'x' } }, status: { conditions } });
    expect(status.json.status.conditions).toMatchObject([{ type: 'StatusPatch' }]);
    const fresh = (await api.call('GET', '/api/v1/namespaces/e2e')).json;
    const put = await api.call('PUT', '/api/v1/namespaces/e2e/status', {
      ...fresh,
      status: { ...fresh.status, conditions: [...conditions, { ...conditions[0], type: 'StatusUpdate' }] },
    });
    expect(put.json.status.conditions).toHaveLength(2);
  });
});
