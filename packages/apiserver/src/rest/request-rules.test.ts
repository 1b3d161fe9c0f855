import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/start-test-server.js';

const NS = '/api/v1/namespaces/default';
const MERGE = { type: 'application/merge-patch+json' };
const APPLY = { type: 'application/apply-patch+yaml' };

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
});
afterAll(() => api[Symbol.asyncDispose]());

describe('a Scale that is applied', () => {
  const path = '/apis/apps/v1/namespaces/default/deployments/web';
  const scale = (replicas: number, more: object = {}) => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web' },
    spec: { replicas },
    ...more,
  });
  const apply = (body: object, query: string) => api.call('PATCH', `${path}/scale?fieldManager=${query}`, body, APPLY);
  const managers = async () =>
    ((await api.call('GET', path)).json.metadata.managedFields as { manager: string; operation: string; subresource?: string; fieldsV1: object }[]).map(
      ({ manager, operation, subresource, fieldsV1 }) => [manager, operation, subresource, JSON.stringify(fieldsV1).includes('f:replicas')],
    );

  it('makes its manager the owner of the replicas', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template },
    };
    await api.call('PATCH', `${path}?fieldManager=owner`, deployment, APPLY);
    expect((await apply(scale(3), 'scaler')).json.message).toBe('Apply failed with 1 conflict: conflict with "owner": .spec.replicas');
    const forced = await apply(scale(3), 'scaler&force=true');
    expect([forced.status, forced.json.kind, forced.json.spec.replicas]).toEqual([200, 'Scale', 3]);
    expect(await managers()).toEqual([
      ['owner', 'Apply', undefined, false],
      ['scaler', 'Apply', 'scale', true],
    ]);
    expect((await api.call('PATCH', `${path}?fieldManager=owner`, deployment, APPLY)).json.message).toBe(
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale": .spec.replicas',
    );
  });

  it('is a Scale of a manager', async () => {
    expect((await api.call('PATCH', `${path}/scale`, scale(3), APPLY)).status).toBe(422);
    expect((await apply(scale(3, { kind: 'Deployment' }), 'm')).status).toBe(400);
    expect((await apply(scale(-1), 'm&force=true')).json.message).toContain('must be greater than or equal to 0');
    expect((await apply(scale(3, { metadata: { name: 'other' } }), 'm')).json.message).toContain('does not match the name on the URL');
  });
});

describe('members given twice', () => {
  it('are found in patches', async () => {
    await api.call('POST', `${NS}/configmaps`, { metadata: { name: 'twice' } });
    const patch = (body: string, type: string) => api.call('PATCH', `${NS}/configmaps/twice?fieldValidation=Strict`, body, { type });
    expect((await patch('{"data":{"a":"1","a":"2"}}', 'application/merge-patch+json')).json.message).toContain(
      'strict decoding error: duplicate field "data.a"',
    );
    expect((await patch('{"data":{"a":"1","a":"2"}}', 'application/strategic-merge-patch+json')).json.message).toContain('duplicate field "data.a"');
    expect((await patch('[{"op":"add","path":"/data","path":"/data","value":{}}]', 'application/json-patch+json')).json.message).toContain(
      'duplicate field "[0].path"',
    );
  });

  it('are found in YAML, where upstream’s parser finds them', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\n  name: again\njunk: 1\n';
    const create = (validation: string) => api.call('POST', `${NS}/configmaps?dryRun=All&fieldValidation=${validation}`, text, { type: 'application/yaml' });
    expect((await create('Strict')).json.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 5: key "name" already set in map, unknown field "junk"',
    );
    expect((await create('Ignore')).json.metadata.name).toBe('again');
  });
});

describe('an object', () => {
  it('is read no older than asked for, and not from the future', async () => {
    const made = await api.call('POST', `${NS}/configmaps`, { metadata: { name: 'read' } });
    expect((await api.call('GET', `${NS}/configmaps/read?resourceVersion=${made.json.metadata.resourceVersion}`)).status).toBe(200);
    expect((await api.call('GET', `${NS}/configmaps/read?resourceVersion=x`)).status).toBe(400);
    const future = await api.call('GET', `${NS}/configmaps/read?resourceVersion=999999999`);
    expect([future.status, future.json.message]).toEqual([504, expect.stringContaining('Too large resource version: 999999999')]);
  });

  it('has a name by the time anything follows from it', async () => {
    const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } };
    const { json } = await api.call('POST', '/apis/batch/v1/namespaces/default/jobs', { metadata: { generateName: 'made-' }, spec });
    expect(json.metadata.name).toMatch(/^made-/);
    expect(json.spec.template.metadata.labels).toMatchObject({ 'job-name': json.metadata.name, 'batch.kubernetes.io/job-name': json.metadata.name });
    const pod = await api.call('POST', `${NS}/pods`, {
      metadata: { generateName: 'nobody-' },
      spec: { serviceAccountName: 'nope', containers: spec.template.spec.containers },
    });
    expect(pod.json.message).toContain('pods "nobody-" is forbidden: error looking up service account default/nope');
  });

  it('that is written says its name', async () => {
    await api.call('POST', `${NS}/configmaps`, { metadata: { name: 'named' } });
    const why = 'the name of the object (named based on URL) was undeterminable: name must be provided';
    expect((await api.call('PUT', `${NS}/configmaps/named`, { metadata: {} })).json).toMatchObject({ code: 400, message: why });
    expect((await api.call('PATCH', `${NS}/configmaps/named`, { metadata: { name: null } }, MERGE)).json).toMatchObject({ code: 400, message: why });
  });
});

describe('reviews', () => {
  const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
  const RBAC = '/apis/rbac.authorization.k8s.io/v1';
  const mayGet = async (user: string) =>
    (
      await api.call('POST', `${AUTHORIZATION}/subjectaccessreviews`, {
        spec: { user, resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
      })
    ).json.status;

  it('say which binding allows it', async () => {
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const subjects = [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' },
      { kind: 'ServiceAccount', name: 'robot', namespace: 'other' },
    ];
    await api.call('POST', `${RBAC}/namespaces/default/rolebindings`, { metadata: { name: 'viewers' }, roleRef: role, subjects });
    await api.call('POST', `${RBAC}/clusterrolebindings`, { metadata: { name: 'all' }, roleRef: role, subjects: [{ ...subjects[0], name: 'bea' }] });
    expect(await mayGet('ann')).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "viewers/default" of ClusterRole "view" to User "ann"' });
    expect(await mayGet('system:serviceaccount:other:robot')).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "viewers/default" of ClusterRole "view" to ServiceAccount "robot/other"',
    });
    expect(await mayGet('bea')).toEqual({ allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "view" to User "bea"' });
    expect(await mayGet('cid')).toEqual({ allowed: false });
  });

  it('of a namespace are about its resources', async () => {
    const review = await api.call('POST', `${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`, {
      spec: { user: 'ann', nonResourceAttributes: { path: '/' } },
    });
    expect([review.status, review.json.message]).toEqual([
      422,
      expect.stringContaining('spec.nonResourceAttributes: Invalid value: {"path":"/"}: disallowed on this kind of request'),
    ]);
  });

  it('of a token that nobody knows say so', async () => {
    const review = await api.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'nonsense' } });
    expect(review.json.status).toEqual({ user: {}, error: 'invalid bearer token' });
  });

  it('of tokens are for the account of the URL', async () => {
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'sa' } });
    const request = (metadata: object) => api.call('POST', `${NS}/serviceaccounts/sa/token`, { metadata });
    expect((await request({ name: 'sa', namespace: 'default' })).status).toBe(201);
    expect((await request({ name: 'other' })).json.message).toBe(
      'TokenRequest.authentication.k8s.io "sa" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    );
  });
});
