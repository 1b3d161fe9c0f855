import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

let api: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  api = await startTestServer();
});
afterAll(() => api[Symbol.asyncDispose]());

const AGGREGATED = { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } };
const PREFERRED_FIRST = [
  'apiregistration.k8s.io/v1',
  'apps/v1',
  'events.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'autoscaling/v2 v1',
  'batch/v1',
  'certificates.k8s.io/v1',
  'networking.k8s.io/v1',
  'policy/v1',
  'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'coordination.k8s.io/v1',
  'node.k8s.io/v1',
  'discovery.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1',
  'resource.k8s.io/v1',
];

it('announces groups and versions by upstream priorities, in both forms', async () => {
  const versionsOf = (name: string, versions: { version: string }[]) => `${name}/${versions.map(({ version }) => version).join(' ')}`;
  const { groups } = (await api.call('GET', '/apis')).json;
  expect(groups.map((each: { name: string; versions: [] }) => versionsOf(each.name, each.versions))).toEqual(PREFERRED_FIRST);
  const { items } = (await api.call('GET', '/apis', undefined, AGGREGATED)).json;
  expect(items.map((each: { metadata: { name: string }; versions: [] }) => versionsOf(each.metadata.name, each.versions))).toEqual(PREFERRED_FIRST);
});

it('has no empty creation times in the aggregated form', async () => {
  expect((await api.call('GET', '/api', undefined, AGGREGATED)).json.items[0].metadata).toEqual({});
  expect((await api.call('GET', '/apis', undefined, AGGREGATED)).json.items[0].metadata).toEqual({ name: 'apiregistration.k8s.io' });
});

it('says kind, group and version of subresources that speak of another kind', async () => {
  const rows = [...(await api.call('GET', '/api/v1')).json.resources, ...(await api.call('GET', '/apis/apps/v1')).json.resources];
  const foreign = rows.filter(({ group }) => group !== undefined).map(({ name, group, version, kind }) => `${name} ${group}/${version} ${kind}`);
  expect(foreign).toEqual([
    'pods/eviction policy/v1 Eviction',
    'replicationcontrollers/scale autoscaling/v1 Scale',
    'serviceaccounts/token authentication.k8s.io/v1 TokenRequest',
    'deployments/scale autoscaling/v1 Scale',
    'replicasets/scale autoscaling/v1 Scale',
    'statefulsets/scale autoscaling/v1 Scale',
  ]);
});
