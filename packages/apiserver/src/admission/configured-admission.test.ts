import { afterAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@coxswain/sdk';
import { startTestServer } from '../testing/start-test-server.js';
import { readAdmissionConfig } from './admission-config.js';

const folder = mkdtempSync(join(tmpdir(), 'configured-admission-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = (name: string, configuration: object) =>
  readAdmissionConfig(
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins: [{ name, configuration }] }),
    join(folder, 'admission.yaml'),
  );
const pod = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'a' }], ...spec } });
const PODS = '/api/v1/namespaces/default/pods';

describe('EventRateLimit', () => {
  const KIND = { apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration' };
  const event = (name: string) => ({ metadata: { name }, involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' }, reason: 'R', type: 'Normal' });
  const EVENTS = '/api/v1/namespaces/default/events';

  it('refuses a namespace that has had its burst, until time has passed', async () => {
    let ahead = 0;
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
    const configured = await settings('EventRateLimit', { ...KIND, limits: [{ type: 'Namespace', qps: 1, burst: 2 }] });
    await using api = await startTestServer({ clock, enabledAdmission: ['EventRateLimit'], admissionSettings: configured });
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
    const statuses = [];
    // More than could come back meanwhile.
    for (let i = 0; i < 40; i++) statuses.push((await api.call('POST', EVENTS, event(`e${i}`))).status);
    expect(statuses.slice(0, 2)).toEqual([201, 201]);
    expect(statuses).toContain(429);
    ahead += 60_000;
    expect((await api.call('POST', EVENTS, event('later'))).status).toBe(201);
    const other = { ...event('e'), involvedObject: { kind: 'Pod', namespace: 'other', name: 'p' } };
    expect((await api.call('POST', '/api/v1/namespaces/other/events', other)).status).toBe(201);
    // Nothing else is limited.
    for (let i = 0; i < 5; i++) expect((await api.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: `c${i}` } })).status).toBe(201);
  });

  it.each([
    [{ kind: 'X' }, 'not a Configuration'],
    [KIND, 'limits: Invalid value: must not be empty'],
    [{ ...KIND, limits: [{ type: 'Pod', qps: 1, burst: 1 }] }, 'limits[0].type: Unsupported value: "Pod"'],
    [{ ...KIND, limits: [{ type: 'User', qps: 0, burst: 1 }] }, 'limits[0].qps: Invalid value: 0: must be positive'],
  ])('%j: %s', async (configuration, message) => {
    await expect(settings('EventRateLimit', configuration)).rejects.toThrow(message);
  });
});

it('PodNodeSelector: the annotation of a namespace, the default of the cluster, and what a namespace may name', async () => {
  const configured = await settings('PodNodeSelector', {
    podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'pool=shared', limited: 'pool=shared,disk=ssd' },
  });
  await using api = await startTestServer({ enabledAdmission: ['PodNodeSelector'], disabledAdmission: ['ServiceAccount'], admissionSettings: configured });
  const annotations = { 'scheduler.alpha.kubernetes.io/node-selector': 'team=a' };
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'teamed', annotations } });
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'limited' } });
  const create = (namespace: string, name: string, nodeSelector?: object) =>
    api.call('POST', `/api/v1/namespaces/${namespace}/pods`, pod(name, nodeSelector ? { nodeSelector } : {}));
  expect((await create('default', 'a')).json.spec.nodeSelector).toEqual({ pool: 'shared' });
  expect((await create('teamed', 'a', { disk: 'ssd' })).json.spec.nodeSelector).toEqual({ disk: 'ssd', team: 'a' });
  const conflict = await create('teamed', 'b', { team: 'b' });
  expect([conflict.status, conflict.json.message]).toEqual([403, expect.stringContaining('conflicts with its namespace node label selector')]);
  expect((await create('limited', 'a', { disk: 'ssd' })).status).toBe(201);
  const beyond = await create('limited', 'b', { disk: 'ssd', gpu: 'yes' });
  expect([beyond.status, beyond.json.message]).toEqual([403, expect.stringContaining('conflict with its namespace whitelist')]);
});

it('ResourceQuota: what is limited needs a quota that covers it', async () => {
  const limitedResources = [
    { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['vip'] }] },
    { resource: 'persistentvolumeclaims', matchContains: ['requests.storage'] },
  ];
  const configured = await settings('ResourceQuota', { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'ResourceQuotaConfiguration', limitedResources });
  await using api = await startTestServer({ disabledAdmission: ['ServiceAccount'], admissionSettings: configured });
  await api.call('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'vip' }, value: 5 });
  expect((await api.call('POST', PODS, pod('plain'))).status).toBe(201);
  const refused = await api.call('POST', PODS, pod('vip', { priorityClassName: 'vip' }));
  expect([refused.status, refused.json.message]).toEqual([403, expect.stringContaining('insufficient quota to match these scopes: {PriorityClass In [vip]}')]);
  const claim = { metadata: { name: 'c' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
  const uncovered = await api.call('POST', '/api/v1/namespaces/default/persistentvolumeclaims', claim);
  expect([uncovered.status, uncovered.json.message]).toEqual([403, expect.stringContaining('insufficient quota to consume: requests.storage')]);
  // A quota as the controller leaves it: counted.
  const scopeSelector = { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['vip'] }] };
  const quota = { metadata: { name: 'vip' }, spec: { hard: { pods: '1' }, scopeSelector } };
  const path = '/api/v1/namespaces/default/resourcequotas';
  const { json } = await api.call('POST', path, quota);
  await api.call('PUT', `${path}/vip/status`, { ...json, status: { hard: { pods: '1' }, used: { pods: '0' } } });
  expect((await api.call('POST', PODS, pod('vip', { priorityClassName: 'vip' }))).status).toBe(201);
  expect((await api.call('POST', PODS, pod('vip2', { priorityClassName: 'vip' }))).json.message).toContain('exceeded quota: vip');
});

it('PodTopologyLabels: zone and region of the node', async () => {
  await using api = await startTestServer({ disabledAdmission: ['ServiceAccount'] });
  const labels = { 'topology.kubernetes.io/zone': 'z1', 'topology.kubernetes.io/region': 'r1', disk: 'ssd' };
  await api.call('POST', '/api/v1/nodes', { metadata: { name: 'n1', labels } });
  await api.call('POST', PODS, pod('p'));
  await api.call('POST', `${PODS}/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } });
  const { json } = await api.call('GET', `${PODS}/p`);
  expect([json.spec.nodeName, json.metadata.labels]).toEqual(['n1', { 'topology.kubernetes.io/zone': 'z1', 'topology.kubernetes.io/region': 'r1' }]);
  expect((await api.call('POST', PODS, pod('q', { nodeName: 'n1' }))).json.metadata.labels).toMatchObject({ 'topology.kubernetes.io/zone': 'z1' });
});
