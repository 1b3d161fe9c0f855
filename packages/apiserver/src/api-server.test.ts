import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMap, startTestServer } from './testing/start-test-server.js';
import type { TestServer } from './testing/start-test-server.js';

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const NS = '/api/v1/namespaces/default';
let serial = 0;
const fresh = () => `t${++serial}`;

describe('create and read', () => {
  it('answers 201 with what a following GET shows, byte for byte', async () => {
    const name = fresh();
    const created = await api.call('POST', `${NS}/configmaps`, configMap(name, { data: { a: 'b' } }));
    expect(created.status).toBe(201);
    const read = await api.call('GET', `${NS}/configmaps/${name}`);
    expect(read.text).toBe(created.text);
    expect(read.json.metadata).toMatchObject({ name, namespace: 'default', resourceVersion: expect.stringMatching(/^\d+$/), uid: expect.any(String) });
  });

  it('refuses a second one with 409 AlreadyExists', async () => {
    const name = fresh();
    await api.call('POST', `${NS}/configmaps`, configMap(name));
    const again = await api.call('POST', `${NS}/configmaps`, configMap(name));
    expect(again.status).toBe(409);
    expect(again.json).toMatchObject({
      kind: 'Status',
      reason: 'AlreadyExists',
      message: `configmaps "${name}" already exists`,
      details: { name, kind: 'configmaps' },
    });
  });

  it('generates names', async () => {
    const { json } = await api.call('POST', `${NS}/configmaps`, { metadata: { generateName: 'gen-' } });
    expect(json.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/);
    const namespace = (await api.call('POST', '/api/v1/namespaces', { metadata: { generateName: 'gen-', labels: { a: 'b' } } })).json;
    expect(namespace.metadata.labels).toEqual({ a: 'b', 'kubernetes.io/metadata.name': namespace.metadata.name });
  });

  it('stores nothing on a dry run', async () => {
    const name = fresh();
    const dry = await api.call('POST', `${NS}/configmaps?dryRun=All`, configMap(name));
    expect(dry.status).toBe(201);
    expect(dry.json.metadata.resourceVersion).toBeUndefined();
    expect((await api.call('GET', `${NS}/configmaps/${name}`)).status).toBe(404);
  });

  it('refuses unknown and duplicate fields when asked to be strict, and warns otherwise', async () => {
    const text = (name: string) => `{"metadata":{"name":"${name}"},"data":{"a":"1","a":"2"},"spec":{}}`;
    const strict = await api.call('POST', `${NS}/configmaps?fieldValidation=Strict`, text(fresh()));
    expect(strict.status).toBe(400);
    expect(strict.json.message).toContain('strict decoding error: unknown field "spec", duplicate field "data.a"');
    const warned = await api.call('POST', `${NS}/configmaps`, text(fresh()));
    expect(warned.status).toBe(201);
    expect(warned.headers.warning).toContain('299 - "unknown field \\"spec\\""');
  });

  it('refuses values of the wrong type, text that is not JSON, and deep nesting', async () => {
    expect((await api.call('POST', `${NS}/configmaps`, configMap(fresh(), { data: { a: 1 } }))).status).toBe(400);
    expect((await api.call('POST', `${NS}/configmaps`, '{"a')).json).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect((await api.call('POST', `${NS}/configmaps`, `{"data":${'['.repeat(8000)}${']'.repeat(8000)}}`)).status).toBe(400);
    expect((await api.call('POST', `${NS}/configmaps`, 'x', { type: 'text/plain' })).status).toBe(415);
  });

  it('refuses an apiVersion, kind or name that is no string, even one that cannot be shown as a string', async () => {
    const odd = { toString: 1 };
    const wrong = await api.call('POST', `${NS}/configmaps`, { ...configMap(fresh()), apiVersion: [odd] });
    expect(wrong.json).toMatchObject({ code: 400, message: expect.stringContaining('cannot unmarshal array into Go struct field .apiVersion of type string') });
    expect((await api.call('POST', `${NS}/configmaps`, { ...configMap(fresh()), kind: 0 })).status).toBe(400);
    const apply = { type: 'application/apply-patch+yaml' };
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: odd } };
    const refused = (await api.call('PATCH', `${NS}/configmaps/odd?fieldManager=m`, applied, apply)).json;
    expect(refused).toMatchObject({
      code: 500,
      message: expect.stringMatching(/^failed to create typed patch object .*: \.metadata\.name: expected string, got /),
    });
  });

  it('refuses a review whose fields are of the wrong type, and quantities by names that every object has', async () => {
    const review = { spec: { user: 9007199254740992, resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const { json } = await api.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    expect(json).toMatchObject({ code: 400, message: expect.stringContaining('cannot unmarshal number into Go struct field SubjectAccessReviewSpec') });
    const limits = { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', default: { constructor: '1' }, max: { cpu: '2' } }] } };
    expect((await api.call('POST', `${NS}/limitranges`, limits)).status).toBeLessThan(500);
  });

  it('refuses patches that are nested too deeply to be merged', async () => {
    await api.call('POST', `${NS}/configmaps`, configMap('deep'));
    const deep = `${'{"a":'.repeat(4000)}1${'}'.repeat(4000)}`;
    const { json } = await api.call('PATCH', `${NS}/configmaps/deep`, deep, { type: 'application/strategic-merge-patch+json' });
    expect(json).toMatchObject({ code: 400, message: expect.stringContaining('exceeded max depth') });
  });

  it('refuses bodies over 3 MiB with 413', async () => {
    const answer = await api.call('POST', `${NS}/configmaps`, configMap(fresh(), { data: { a: 'x'.repeat(3 * 1024 * 1024) } }));
    expect(answer.json).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' });
  });

  it('says what is invalid, with a cause for each field', async () => {
    const answer = await api.call('POST', `${NS}/configmaps`, configMap('Not_A_Name'));
    expect(answer.json).toMatchObject({ code: 422, reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }] } });
  });

  it('refuses what lies in a namespace that is missing', async () => {
    expect((await api.call('POST', '/api/v1/namespaces/nowhere/configmaps', configMap('x'))).json).toMatchObject({
      code: 404,
      message: 'namespaces "nowhere" not found',
    });
  });
});

describe('update and patch', () => {
  it('refuses an update of an old version and takes one without a version', async () => {
    const name = fresh();
    const { json: first } = await api.call('POST', `${NS}/configmaps`, configMap(name));
    const { json: second } = await api.call('PUT', `${NS}/configmaps/${name}`, { ...first, data: { a: '1' } });
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    const stale = await api.call('PUT', `${NS}/configmaps/${name}`, { ...first, data: { a: '2' } });
    expect(stale.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect((await api.call('PUT', `${NS}/configmaps/${name}`, configMap(name, { data: { a: '3' } }))).json.data).toEqual({ a: '3' });
  });

  it('writes nothing when nothing changes', async () => {
    const name = fresh();
    const { json } = await api.call('POST', `${NS}/configmaps`, configMap(name, { data: { a: '1' } }));
    const { json: same } = await api.call('PUT', `${NS}/configmaps/${name}`, json);
    expect(same.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
  });

  it('merges, merges strategically and applies JSON patches; concurrent patches all take effect', async () => {
    const name = fresh();
    await api.call('POST', `${NS}/configmaps`, configMap(name));
    const patches = Array.from({ length: 20 }, (_, i) =>
      api.call('PATCH', `${NS}/configmaps/${name}`, { data: { [`k${i}`]: 'v' } }, { type: 'application/merge-patch+json' }),
    );
    for (const answer of await Promise.all(patches)) expect(answer.status).toBe(200);
    const { json } = await api.call('PATCH', `${NS}/configmaps/${name}`, [{ op: 'remove', path: '/data/k0' }], { type: 'application/json-patch+json' });
    expect(Object.keys(json.data)).toHaveLength(19);
    expect(
      (await api.call('PATCH', `${NS}/configmaps/${name}`, { metadata: { labels: { a: 'b' } } }, { type: 'application/strategic-merge-patch+json' })).json
        .metadata.labels,
    ).toEqual({ a: 'b' });
    expect((await api.call('PATCH', `${NS}/configmaps/${name}`, {})).status).toBe(415);
  });

  it('applies: creates, conflicts with other managers, forces', async () => {
    const name = fresh();
    const url = (manager: string, force = false) => `${NS}/configmaps/${name}?fieldManager=${manager}${force ? '&force=true' : ''}`;
    const apply = (manager: string, value: string, force?: boolean) =>
      api.call('PATCH', url(manager, force), JSON.stringify(configMap(name, { data: { a: value } })), { type: 'application/apply-patch+yaml' });
    expect((await apply('one', '1')).status).toBe(201);
    const conflict = await apply('two', '2');
    expect(conflict.json).toMatchObject({ code: 409, reason: 'Conflict', details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] } });
    const forced = await apply('two', '2', true);
    expect(forced.json.data).toEqual({ a: '2' });
    expect(forced.json.metadata.managedFields.map((entry: { manager: string }) => entry.manager)).toContain('two');
  });

  it('keeps status and spec apart, and scales', async () => {
    const name = fresh();
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
      status: { replicas: 9 },
    };
    const url = `/apis/apps/v1/namespaces/default/deployments`;
    const { json: created } = await api.call('POST', url, deployment);
    expect(created.status?.replicas).toBeUndefined();
    expect(created.metadata.generation).toBe(1);
    const { json: withStatus } = await api.call('PUT', `${url}/${name}/status`, {
      ...created,
      spec: { ...created.spec, replicas: 7 },
      status: { replicas: 3 },
    });
    expect([withStatus.spec.replicas, withStatus.status.replicas, withStatus.metadata.generation]).toEqual([1, 3, 1]);
    const { json: scale } = await api.call('GET', `${url}/${name}/scale`);
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { replicas: 3, selector: 'a=b' } });
    expect((await api.call('PUT', `${url}/${name}/scale`, { ...scale, spec: { replicas: 5 } })).json.spec.replicas).toBe(5);
    expect((await api.call('GET', `${url}/${name}`)).json.metadata.generation).toBe(2);
  });
});

describe('delete', () => {
  it('checks preconditions, then removes', async () => {
    const name = fresh();
    const { json } = await api.call('POST', `${NS}/configmaps`, configMap(name));
    expect((await api.call('DELETE', `${NS}/configmaps/${name}`, { preconditions: { uid: 'other' } })).status).toBe(409);
    const gone = await api.call('DELETE', `${NS}/configmaps/${name}`, { preconditions: { uid: json.metadata.uid } });
    expect(gone.json).toMatchObject({ kind: 'Status', status: 'Success', details: { name, kind: 'configmaps', uid: json.metadata.uid } });
    expect((await api.call('DELETE', `${NS}/configmaps/${name}`)).status).toBe(404);
  });

  it.each([
    ['/apis/storage.k8s.io/v1/csinodes', 'CSINode', { spec: { drivers: [] } }],
    ['/apis/storage.k8s.io/v1/storageclasses', 'StorageClass', { provisioner: 'a.b' }],
    ['/apis/storage.k8s.io/v1/csidrivers', 'CSIDriver', { spec: {} }],
    ['/apis/resource.k8s.io/v1/deviceclasses', 'DeviceClass', { spec: {} }],
  ])('answers with what was there: %s', async (path, kind, body) => {
    const name = fresh();
    const { json } = await api.call('POST', path, { metadata: { name }, ...body });
    const gone = await api.call('DELETE', `${path}/${name}`);
    expect(gone.json).toMatchObject({ kind, metadata: { name, uid: json.metadata.uid } });
    expect((await api.call('GET', `${path}/${name}`)).status).toBe(404);
  });

  it('waits for finalizers; the update that removes the last one removes the object', async () => {
    const name = fresh();
    await api.call('POST', `${NS}/configmaps`, { metadata: { name, finalizers: ['example.com/f'] } });
    const { json: marked } = await api.call('DELETE', `${NS}/configmaps/${name}`);
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    await api.call('PATCH', `${NS}/configmaps/${name}`, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
    expect((await api.call('GET', `${NS}/configmaps/${name}`)).status).toBe(404);
  });

  it('turns the propagation policy into finalizers', async () => {
    const name = fresh();
    await api.call('POST', `${NS}/configmaps`, configMap(name));
    expect((await api.call('DELETE', `${NS}/configmaps/${name}?propagationPolicy=Foreground`)).json.metadata.finalizers).toEqual(['foregroundDeletion']);
  });

  it('empties a collection by selector', async () => {
    const label = fresh();
    await Promise.all(
      ['a', 'b', 'c'].map((n) => api.call('POST', `${NS}/configmaps`, { metadata: { name: `${label}-${n}`, labels: { set: n === 'c' ? 'no' : label } } })),
    );
    expect((await api.call('DELETE', `${NS}/configmaps?labelSelector=set%3D${label}`)).json.items).toHaveLength(2);
    expect((await api.call('GET', `${NS}/configmaps/${label}-c`)).status).toBe(200);
  });
});

describe('users and permissions', () => {
  it("answers 401 to unknown tokens and 403 to known users, in upstream's words", async () => {
    expect((await api.call('GET', `${NS}/configmaps`, undefined, { token: 'nonsense' })).json).toMatchObject({ code: 401, reason: 'Unauthorized' });
    expect((await api.call('GET', `${NS}/configmaps`, undefined, { token: 'bob' })).json.message).toBe(
      'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
    expect((await api.call('GET', '/healthz', undefined, { token: '' })).status).toBe(200);
    expect((await api.call('GET', '/metrics', undefined, { token: '' })).status).toBe(403);
  });

  it('lets a role binding take effect at once and refuses escalation', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    const roleRef = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name });
    const bind = (name: string, role: string) => ({
      metadata: { name },
      roleRef: roleRef(role),
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }],
    });
    expect((await api.call('POST', `${rbac}/rolebindings`, bind('bob-admin', 'admin'))).status).toBe(201);
    expect((await api.call('GET', `${NS}/configmaps`, undefined, { token: 'bob' })).status).toBe(200);
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const escalated = await api.call('POST', `${rbac}/roles`, { metadata: { name: 'all' }, rules }, { token: 'bob' });
    expect(escalated.json).toMatchObject({ code: 403, message: expect.stringContaining('attempting to grant RBAC permissions not currently held') });
    expect((await api.call('POST', `${rbac}/rolebindings`, bind('bob-root', 'cluster-admin'), { token: 'bob' })).status).toBe(403);
    await api.call('DELETE', `${rbac}/rolebindings/bob-admin`);
    expect((await api.call('GET', `${NS}/configmaps`, undefined, { token: 'bob' })).status).toBe(403);
  });

  it('issues tokens that are good while the service account lives', async () => {
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'robot' } });
    const { json, status } = await api.call('POST', `${NS}/serviceaccounts/robot/token`, { spec: { expirationSeconds: 600 } });
    expect(status).toBe(201);
    const { token } = json.status;
    const whoami = await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token });
    expect(whoami.json.status.userInfo).toMatchObject({
      username: 'system:serviceaccount:default:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
    await api.call('DELETE', `${NS}/serviceaccounts/robot`);
    expect((await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token })).status).toBe(401);
  });

  it('keeps a kubelet to what its node needs', async () => {
    const node = { token: 'node' };
    await api.call('POST', `${NS}/secrets`, { metadata: { name: 'used' } });
    await api.call('POST', `${NS}/secrets`, { metadata: { name: 'unused' } });
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    await api.call('POST', `${NS}/pods`, {
      metadata: { name: 'on-n1' },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', envFrom: [{ secretRef: { name: 'used' } }] }] },
    });
    expect((await api.call('GET', `${NS}/secrets/used`, undefined, node)).status).toBe(200);
    expect((await api.call('GET', `${NS}/secrets/unused`, undefined, node)).status).toBe(403);
    expect((await api.call('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1', undefined, node)).json.items).toHaveLength(1);
    expect((await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n2' } }, node)).status).toBe(403);
    expect((await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } }, node)).json.spec.taints).toEqual([
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ]);
  });

  it('impersonates for those who may', async () => {
    const as = { headers: { 'impersonate-user': 'bob' } };
    expect((await api.call('GET', `${NS}/configmaps`, undefined, as)).status).toBe(403);
    expect((await api.call('GET', `${NS}/configmaps`, undefined, { token: 'bob', headers: { 'impersonate-user': 'admin' } })).json.message).toContain(
      'cannot impersonate-on:user-info:list resource "configmaps"',
    );
  });
});

describe('services', () => {
  it('are of both families when they are headless and select nothing', async () => {
    const made = async (name: string, spec: object) =>
      (await api.call('POST', `${NS}/services`, { metadata: { name }, spec: { clusterIP: 'None', ports: [{ port: 80 }], ...spec } })).json.spec;
    expect(await made('open', {})).toMatchObject({ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack', clusterIPs: ['None'] });
    expect(await made('open-single', { ipFamilyPolicy: 'SingleStack' })).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    expect(await made('selecting', { selector: { a: 'b' } })).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  });

  it('gives addresses and node ports once, and takes them back', async () => {
    const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
    const { json: one } = await api.call('POST', `${NS}/services`, service('one', { type: 'NodePort' }));
    expect(one.spec.clusterIP).toMatch(/^10\.96\.0\./);
    const port = one.spec.ports[0].nodePort;
    expect(port).toBeGreaterThanOrEqual(30_000);
    const taken = await api.call('POST', `${NS}/services`, service('two', { clusterIP: one.spec.clusterIP }));
    expect(taken.json).toMatchObject({ code: 422, message: expect.stringContaining('provided IP is already allocated') });
    expect((await api.call('POST', `${NS}/services`, service('two', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] }))).json.message).toContain(
      'provided port is already allocated',
    );
    expect((await api.call('GET', `/apis/networking.k8s.io/v1/ipaddresses/${one.spec.clusterIP}`)).json.spec.parentRef.name).toBe('one');
    const moved = await api.call('PATCH', `${NS}/services/one`, { spec: { clusterIP: '9.9.9.9' } }, { type: 'application/merge-patch+json' });
    expect(moved.json.message).toBe('Service "one" is invalid: spec.clusterIPs[0]: Invalid value: ["9.9.9.9"]: may not change once set');
    await api.call('DELETE', `${NS}/services/one`);
    expect(
      (await api.call('POST', `${NS}/services`, service('two', { type: 'NodePort', clusterIP: one.spec.clusterIP, ports: [{ port: 80, nodePort: port }] })))
        .status,
    ).toBe(201);
  });

  it('gives addresses of ServiceCIDRs that are added later, from when they are ready until they are deleted', async () => {
    const cidrs = '/apis/networking.k8s.io/v1/servicecidrs';
    const service = (name: string, clusterIP?: string) =>
      api.call('POST', `${NS}/services`, { metadata: { name }, spec: { ports: [{ port: 80 }], ...(clusterIP ? { clusterIP } : {}) } });
    await api.call('POST', cidrs, { metadata: { name: 'more', finalizers: ['example.com/held'] }, spec: { cidrs: ['10.97.0.0/30'] } });
    const early = await service('early', '10.97.0.1');
    expect(early.json).toMatchObject({ code: 422, message: expect.stringContaining('The range of valid IPs is 10.96.0.0/') });
    const ready = { type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
    await api.call('PATCH', `${cidrs}/more/status`, { status: { conditions: [ready] } }, { type: 'application/merge-patch+json' });
    expect((await service('first', '10.97.0.1')).json.spec.clusterIP).toBe('10.97.0.1');
    expect((await service('again', '10.97.0.1')).json.message).toContain('provided IP is already allocated');
    expect((await service('beside', '10.96.0.77')).json.spec.clusterIP).toBe('10.96.0.77');
    await api.call('DELETE', `${cidrs}/more`);
    expect((await service('late', '10.97.0.2')).json).toMatchObject({ code: 422, message: expect.stringContaining('is not in the valid range') });
  });

  it('dry runs are refused what cannot be given, and take nothing', async () => {
    const dry = (name: string, spec: object) => api.call('POST', `${NS}/services?dryRun=All`, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
    expect((await dry('dry', { clusterIP: '9.9.9.9' })).json.message).toContain('is not in the valid range');
    expect((await dry('dry', { clusterIP: '10.96.0.1' })).json.message).toContain('provided IP is already allocated');
    expect((await dry('dry', { type: 'NodePort', ports: [{ port: 80, nodePort: 20 }] })).json.message).toContain('provided port is not in the valid range');
    expect((await dry('dry', { clusterIP: '10.96.0.78' })).json.spec.clusterIP).toBe('10.96.0.78');
    expect((await api.call('POST', `${NS}/services`, { metadata: { name: 'wet' }, spec: { clusterIP: '10.96.0.78', ports: [{ port: 80 }] } })).status).toBe(
      201,
    );
    const changed = await api.call(
      'PATCH',
      `${NS}/services/wet?dryRun=All`,
      { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 20 }] } },
      { type: 'application/merge-patch+json' },
    );
    expect(changed.json.message).toContain('provided port is not in the valid range');
  });

  it('applies null for the spec as if there were none', async () => {
    const apply = (spec: object | null) =>
      api.call(
        'PATCH',
        `${NS}/services/nullified?fieldManager=m&force=true`,
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'nullified' }, spec },
        { type: 'application/apply-patch+yaml' },
      );
    expect((await apply({ ports: [{ port: 80 }] })).status).toBe(201);
    expect((await apply(null)).json).toMatchObject({ code: 422, message: expect.stringContaining('spec.ports: Required value') });
  });

  it('tells whoever asks for Endpoints, also by reading, what to use instead', async () => {
    const warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
    for (const path of [`${NS}/endpoints`, `${NS}/endpoints/kubernetes`, '/api/v1/endpoints'])
      expect((await api.call('GET', path)).headers.warning, path).toBe(warning);
    expect((await api.call('GET', '/api/v1/componentstatuses')).headers.warning).toBe('299 - "v1 ComponentStatus is deprecated in v1.19+"');
    expect((await api.call('GET', `${NS}/services`)).headers.warning).toBeUndefined();
  });

  it('serves itself as the kubernetes service', async () => {
    expect((await api.call('GET', `${NS}/services/kubernetes`)).json.spec.clusterIP).toBe('10.96.0.1');
    expect((await api.call('GET', `${NS}/endpoints/kubernetes`)).json.subsets[0].addresses).toEqual([{ ip: '192.0.2.1' }]);
  });
});

describe('pods', () => {
  const pod = (name: string, extra: object = {}) => ({
    metadata: { name, labels: { app: name } },
    spec: { containers: [{ name: 'c', image: 'i' }], ...extra },
  });

  it('get a service account, tolerations, a priority and a token volume', async () => {
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    const { json } = await api.call('POST', `${NS}/pods`, pod('defaults', { priorityClassName: 'system-node-critical' }));
    expect(json.spec).toMatchObject({ serviceAccountName: 'default', priority: 2_000_001_000 });
    expect(json.spec.tolerations).toHaveLength(2);
    expect(json.spec.volumes[0].name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(json.spec.containers[0].volumeMounts[0].mountPath).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
  });

  it('may have their tolerations replaced by somebody who does not name the default ones', async () => {
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    const { json } = await api.call('POST', `${NS}/pods`, pod('tolerant'));
    const own = { key: 'foo', operator: 'Equal', value: 'bar', effect: 'NoSchedule' };
    const replaced = await api.call('PUT', `${NS}/pods/tolerant`, { ...json, spec: { ...json.spec, tolerations: [own] } });
    expect(replaced).toMatchObject({ status: 200, json: { metadata: { generation: 2 }, spec: { tolerations: [own, ...json.spec.tolerations] } } });
    const dropped = await api.call('PUT', `${NS}/pods/tolerant`, { ...replaced.json, spec: { ...json.spec, tolerations: [] } });
    expect(dropped.json.message).toContain('existing toleration can not be modified except its tolerationSeconds');
  });

  it('are bound once, deleted gracefully, and evicted as budgets allow', async () => {
    await api.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    await api.call('POST', `${NS}/pods`, pod('b'));
    const bind = (node: string) => api.call('POST', `${NS}/pods/b/binding`, { target: { kind: 'Node', name: node } });
    expect((await bind('n1')).status).toBe(201);
    expect((await bind('n2')).json).toMatchObject({ code: 409, message: expect.stringContaining('is already assigned to node "n1"') });
    await api.call(
      'PATCH',
      `${NS}/pods/b/status`,
      { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
      { type: 'application/merge-patch+json' },
    );
    await api.call('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
      metadata: { name: 'b' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'b' } } },
    });
    const evict = () => api.call('POST', `${NS}/pods/b/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b' } });
    expect((await evict()).status).toBe(429);
    await api.call(
      'PATCH',
      '/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status',
      { status: { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } },
      { type: 'application/merge-patch+json' },
    );
    expect((await evict()).status).toBe(201);
    const { json } = await api.call('GET', `${NS}/pods/b`);
    expect(json.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect((await api.call('DELETE', `${NS}/pods/b`, { gracePeriodSeconds: 0 })).status).toBe(200);
    expect((await api.call('GET', `${NS}/pods/b`)).status).toBe(404);
  });
});

describe('discovery and shapes', () => {
  it('announces groups plainly and aggregated', async () => {
    expect((await api.call('GET', '/apis')).json.groups.map((group: { name: string }) => group.name)).toContain('apps');
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const answer = await api.call('GET', '/api', undefined, { headers: { accept } });
    expect(answer.headers['content-type']).toContain('as=APIGroupDiscoveryList');
    const pods = answer.json.items[0].versions[0].resources.find((r: { resource: string }) => r.resource === 'pods');
    expect(pods.subresources.map((s: { subresource: string }) => s.subresource)).toEqual(expect.arrayContaining(['exec', 'log', 'status']));
  });

  it('prints tables and metadata only', async () => {
    const table = await api.call('GET', '/api/v1/namespaces/default', undefined, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    expect(table.json).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      rows: [{ cells: ['default', 'Active', expect.any(String)], object: { kind: 'PartialObjectMetadata' } }],
    });
    const partial = await api.call('GET', '/api/v1/namespaces', undefined, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    });
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadataList' });
    expect(partial.json.items[0].spec).toBeUndefined();
    expect((await api.call('GET', '/api/v1/namespaces', undefined, { headers: { accept: 'image/png' } })).status).toBe(406);
  });

  it('shows events of either group in the form asked for', async () => {
    const event = {
      metadata: { name: 'e1' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'Tested',
      message: 'hello',
      type: 'Normal',
    };
    expect((await api.call('POST', `${NS}/events`, event)).status).toBe(201);
    expect((await api.call('GET', '/apis/events.k8s.io/v1/namespaces/default/events/e1')).json).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      note: 'hello',
      regarding: { name: 'p' },
    });
  });
});
