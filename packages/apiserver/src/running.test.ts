import type { AdmissionPlugin } from '@coxswain/sdk';
import { systemClock } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { parseAuditPolicy } from './audit/audit-policy.js';
import { MemoryStore } from './testing/memory-store.js';
import { configMap, startTestServer } from './testing/start-test-server.js';
import { StartHooks } from './health/start-hooks.js';

const PATH = '/api/v1/namespaces/default/configmaps';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';

describe('priority and fairness', () => {
  it('has the objects, and says which flow and level a request belonged to', async () => {
    await using api = await startTestServer({ maxRequestsInFlight: 4, maxMutatingRequestsInFlight: 2 });
    const answer = await api.call('GET', '/version', undefined, { token: 'bob' });
    const schema = (await api.call('GET', `${FLOW}/flowschemas/global-default`)).json;
    const level = (await api.call('GET', `${FLOW}/prioritylevelconfigurations/global-default`)).json;
    expect(answer.headers['x-kubernetes-pf-flowschema-uid']).toBe(schema.metadata.uid);
    expect(answer.headers['x-kubernetes-pf-prioritylevel-uid']).toBe(level.metadata.uid);
    expect(schema.status.conditions).toMatchObject([{ type: 'Dangling', status: 'False', reason: 'Found' }]);
    // More than there are seats: they wait, and nobody is refused.
    const all = await Promise.all(Array.from({ length: 60 }, (_, n) => api.call('GET', `/version?n=${n}`, undefined, { token: 'bob' })));
    expect(all.every(({ status }) => status === 200)).toBe(true);
  });
});

describe('a request that takes too long', () => {
  it('is answered with 504', async () => {
    const slow: AdmissionPlugin = {
      name: 'Slow',
      order: 1,
      handles: ({ object }) => object?.metadata.name === 'slow',
      validate: () => new Promise(() => {}),
    };
    await using api = await startTestServer({ admission: [slow] });
    const answer = await api.call('POST', `${PATH}?timeout=100ms`, configMap('slow'));
    expect([answer.status, answer.json.reason, answer.json.message]).toEqual([504, 'Timeout', expect.stringContaining('allotted timeout')]);
  });
});

it('a watch ends by itself, between the least time and twice that', async () => {
  await using api = await startTestServer({ minRequestTimeoutSeconds: 1 });
  const events = await api.watch(`${PATH}?watch=1`, () => false);
  expect(events.every(({ type }) => type === 'ADDED')).toBe(true);
});

it('z-pages are told to who may read them', async () => {
  await using api = await startTestServer({ flags: { 'secure-port': '6443' } });
  expect((await api.call('GET', '/statusz')).text).toMatch(
    /^\napiserver statusz\nWarning: [\s\S]*\nPaths: \/flagz \/healthz \/livez \/metrics \/readyz \/statusz \/version\n$/,
  );
  expect((await api.call('GET', '/flagz')).text).toMatch(/\nsecure-port=6443\n$/);
  expect((await api.call('GET', '/')).json.paths).toEqual(expect.arrayContaining(['/flagz', '/statusz']));
});

describe('health', () => {
  it("is told check by check, under upstream's names", async () => {
    await using api = await startTestServer();
    const names = (text: string) => [...text.matchAll(/^\[\+\](\S+)/gm)].map(([, name]) => name);
    const [live, ready] = [(await api.call('GET', '/livez?verbose')).text, (await api.call('GET', '/readyz?verbose=true')).text];
    expect(names(live)).toEqual(expect.arrayContaining(['ping', 'log', 'etcd', 'poststarthook/rbac/bootstrap-roles', 'poststarthook/bootstrap-controller']));
    expect(names(ready)).toEqual(expect.arrayContaining([...names(live), 'etcd-readiness', 'informer-sync', 'shutdown']));
    expect(ready).toMatch(/\nreadyz check passed\n$/);
    for (const path of ['/readyz/etcd', '/livez/ping', '/readyz/poststarthook/rbac/bootstrap-roles', '/healthz/poststarthook/crd-informer-synced'])
      expect((await api.call('GET', path)).text, path).toBe('ok');
    expect((await api.call('GET', '/livez/etcd-readiness')).status).toBe(404);
    expect((await api.call('GET', '/livez?verbose&exclude=etcd&exclude=moon')).text).toMatch(
      /\[\+\]etcd excluded: ok\n[\s\S]*\nwarn: some health checks cannot be excluded: no matches for "moon"\nlivez check passed\n$/,
    );
  });

  it('a server that has no priorities does not tell that it reads them, and a hook that is not done is told', () => {
    const hooks = new StartHooks(['priority-and-fairness-config-consumer']);
    const open = () => hooks.checks.filter(({ check }) => check() !== undefined).map(({ name }) => name);
    expect(open()).not.toContain('poststarthook/priority-and-fairness-config-consumer');
    hooks.done('rbac/bootstrap-roles');
    expect(open()).not.toContain('poststarthook/rbac/bootstrap-roles');
    hooks.begin();
    expect(open()).toContain('poststarthook/rbac/bootstrap-roles');
  });
});

describe('the store that does not answer', () => {
  it('is told by /readyz, in time', async () => {
    const store = new MemoryStore(systemClock);
    let hangs = false;
    const bound = new Proxy(store, {
      get: (target, name) => {
        if (name === 'status' && hangs) return () => new Promise(() => {});
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await using api = await startTestServer({ store: bound, readyCheckTimeoutMs: 20 });
    expect((await api.call('GET', '/readyz')).text).toBe('ok');
    hangs = true;
    const answer = await api.call('GET', '/readyz');
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('[-]etcd-readiness failed')]);
    const single = await api.call('GET', '/readyz/etcd-readiness');
    expect([single.status, single.text]).toEqual([500, 'internal server error: the store does not answer in time\n']);
    expect((await api.call('GET', '/readyz?exclude=etcd-readiness')).text).toBe('ok');
    hangs = false;
  });
});

it("--endpoint-reconciler-type=none: the endpoints of the kubernetes Service are somebody else's", async () => {
  await using kept = await startTestServer();
  expect((await kept.call('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).status).toBe(200);
  await using left = await startTestServer({ publishEndpoints: false });
  expect((await left.call('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).status).toBe(404);
  expect((await left.call('GET', '/api/v1/namespaces/default/services/kubernetes')).status).toBe(200);
});

describe('the audit log', () => {
  it('records what the policy says', async () => {
    const lines: string[] = [];
    const policy = parseAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ['system:apiserver']
- level: RequestResponse
  resources: [{ group: '', resources: [configmaps] }]
  verbs: [create]
  omitManagedFields: true
- level: Metadata
`);
    await using api = await startTestServer({ audit: { policy, write: (line) => lines.push(line) } });
    await api.call('POST', PATH, configMap('seen', { data: { a: 'b' } }));
    await api.call('GET', `${PATH}/missing`, undefined, { headers: { 'impersonate-user': 'alice' } });
    const events = lines.map((line) => JSON.parse(line)).filter(({ requestURI }) => requestURI.startsWith(PATH));
    expect(events[0]).toMatchObject({
      kind: 'Event',
      level: 'RequestResponse',
      stage: 'ResponseComplete',
      verb: 'create',
      user: { username: 'admin' },
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
      responseStatus: { code: 201 },
      requestObject: { data: { a: 'b' } },
      responseObject: { kind: 'ConfigMap', metadata: { name: 'seen' } },
    });
    expect(events[0].responseObject.metadata.managedFields).toBeUndefined();
    expect(events[1]).toMatchObject({ level: 'Metadata', impersonatedUser: { username: 'alice' }, responseStatus: { code: 403, reason: 'Forbidden' } });
    expect(events[1].requestObject).toBeUndefined();
  });

  it('refuses a policy it does not understand', () => {
    expect(() => parseAuditPolicy('kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [{ level: All }]')).toThrow('rules[0].level');
  });
});
