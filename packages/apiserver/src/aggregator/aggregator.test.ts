import { expect, it } from 'vitest';
import { systemClock } from '@coxswain/sdk';
import { startTestServer } from '../testing/start-test-server.js';
import type { Answer, TestServer } from '../testing/start-test-server.js';
import { startWebhook } from '../testing/start-webhook.js';
import type { Answerer } from '../testing/start-webhook.js';

const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const resources = [
  { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'], shortNames: ['th'] },
  { name: 'things/status', singularName: '', namespaced: true, kind: 'Thing', verbs: ['get'] },
];

const extension: Answerer = ({ url }) => {
  if (url === '/apis/remote.example.com/v1') return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'remote.example.com/v1', resources };
  if (url.startsWith('/openapi/v3/apis/')) return { openapi: '3.0.0', info: {}, paths: {} };
  if (url === '/openapi/v3') return { paths: { 'apis/remote.example.com/v1': { serverRelativeURL: '/openapi/v3/apis/remote.example.com/v1?hash=ABC' } } };
  return { kind: 'Thing', apiVersion: 'remote.example.com/v1', metadata: { name: 'x' }, url };
};

async function until(api: TestServer, path: string, done: (answer: Answer) => boolean): Promise<Answer> {
  const deadline = systemClock.monotonic() + 10_000;
  for (;;) {
    const answer = await api.call('GET', path);
    if (done(answer)) return answer;
    if (systemClock.monotonic() > deadline) throw new Error(`${path}: ${answer.text}`);
    await systemClock.sleep(20);
  }
}

const available = ({ json }: Answer): string | undefined => json.status?.conditions?.find((each: { type: string }) => each.type === 'Available')?.status;

it('lists local group versions and passes others on, with who asks', async () => {
  await using hook = await startWebhook(extension);
  await using api = await startTestServer();
  expect(available(await until(api, `${API_SERVICES}/v1.apps`, ({ status }) => status === 200))).toBe('True');

  await api.call('POST', '/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook' },
    spec: { type: 'ExternalName', externalName: '127.0.0.1' },
  });
  const spec = {
    group: 'remote.example.com',
    version: 'v1',
    service: { namespace: 'default', name: 'hook', port: hook.port },
    caBundle: hook.caBundle,
    groupPriorityMinimum: 100,
    versionPriority: 1,
  };
  const created = await api.call('POST', API_SERVICES, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.remote.example.com' },
    spec,
  });
  expect(created.status, created.text).toBe(201);
  await until(api, `${API_SERVICES}/v1.remote.example.com`, (answer) => available(answer) === 'True');

  const groups = await api.call('GET', '/apis');
  expect(groups.json.groups.map((group: { name: string }) => group.name)).toContain('remote.example.com');
  expect((await api.call('GET', '/apis/remote.example.com/v1')).json.resources).toHaveLength(2);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const aggregated = await api.call('GET', '/apis', undefined, { headers: { accept } });
  const group = aggregated.json.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'remote.example.com');
  expect(group.versions[0]).toMatchObject({
    version: 'v1',
    freshness: 'Current',
    resources: [{ resource: 'things', scope: 'Namespaced', shortNames: ['th'], subresources: [{ subresource: 'status' }] }],
  });
  expect((await api.call('GET', '/openapi/v3')).json.paths['apis/remote.example.com/v1'].serverRelativeURL).toContain('hash=ABC');

  const thing = await api.call('GET', '/apis/remote.example.com/v1/namespaces/default/things/x?a=b');
  expect(thing.json.url).toBe('/apis/remote.example.com/v1/namespaces/default/things/x?a=b');
  const headers = hook.calls.findLast(({ url }) => url.includes('things/x'))?.headers ?? {};
  expect(headers).toMatchObject({ 'x-remote-user': 'admin', 'x-remote-group': expect.stringContaining('system:masters') });
  expect(headers.authorization).toBeUndefined();

  await api.call('DELETE', `${API_SERVICES}/v1.remote.example.com`);
  expect((await until(api, '/apis/remote.example.com/v1', ({ status }) => status === 404)).status).toBe(404);
});

it('says why a server is not available and answers 503 for it', async () => {
  await using api = await startTestServer();
  const spec = {
    group: 'gone.example.com',
    version: 'v1',
    service: { namespace: 'default', name: 'nobody' },
    insecureSkipTLSVerify: true,
    groupPriorityMinimum: 100,
    versionPriority: 1,
  };
  await api.call('POST', API_SERVICES, { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.gone.example.com' }, spec });
  const { json } = await until(api, `${API_SERVICES}/v1.gone.example.com`, (answer) => available(answer) === 'False');
  expect(json.status.conditions[0]).toMatchObject({ reason: 'ServiceNotFound', message: 'service/nobody in "default" is not present' });
  expect((await api.call('GET', '/apis/gone.example.com/v1/things')).status).toBe(503);
});
