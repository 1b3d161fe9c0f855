import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMap, startTestServer } from '../../testing/start-test-server.js';
import type { TestServer } from '../../testing/start-test-server.js';

const ROOT = '/api/v1/namespaces/small';
const pod = (name: string, resources: object = {}, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', resources }], ...spec },
});

describe('ResourceQuota', () => {
  let api: TestServer;
  beforeAll(async () => {
    api = await startTestServer();
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'small' } });
    await api.call('POST', `${ROOT}/serviceaccounts`, { metadata: { name: 'default' } });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  /** With the status the controller would write. */
  async function quota(name: string, hard: Record<string, string>, spec: object = {}) {
    const made = await api.call('POST', `${ROOT}/resourcequotas`, { metadata: { name }, spec: { hard, ...spec } });
    const used = Object.fromEntries(Object.keys(hard).map((key) => [key, '0']));
    await api.call('PUT', `${ROOT}/resourcequotas/${name}/status`, { ...made.json, status: { hard, used } });
  }
  const used = async (name: string) => (await api.call('GET', `${ROOT}/resourcequotas/${name}`)).json.status.used;
  const drop = (name: string) => api.call('DELETE', `${ROOT}/resourcequotas/${name}`);

  it('takes what is asked for, and refuses what is too much', async () => {
    await quota('compute', { pods: '2', 'requests.cpu': '1', 'limits.memory': '1Gi' });
    const silent = await api.call('POST', `${ROOT}/pods`, pod('silent'));
    expect(silent.status).toBe(403);
    expect(silent.json.message).toBe('pods "silent" is forbidden: failed quota: compute: must specify limits.memory for: c; requests.cpu for: c');
    const resources = { requests: { cpu: '600m' }, limits: { memory: '256Mi' } };
    expect((await api.call('POST', `${ROOT}/pods`, pod('one', resources))).status).toBe(201);
    expect(await used('compute')).toEqual({ pods: '1', 'requests.cpu': '600m', 'limits.memory': '256Mi' });
    const more = await api.call('POST', `${ROOT}/pods`, pod('two', resources));
    expect(more.json.message).toBe(
      'pods "two" is forbidden: exceeded quota: compute, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    );
    await drop('compute');
  });

  it('never gives out more than there is, however many ask at once', async () => {
    await quota('objects', { 'count/configmaps': '5', configmaps: '5' });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => api.call('POST', `${ROOT}/configmaps`, configMap(`c${n}`))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(await used('objects')).toEqual({ 'count/configmaps': '5', configmaps: '5' });
    const dry = await api.call('POST', `${ROOT}/secrets?dryRun=All`, { metadata: { name: 's' } });
    expect(dry.status).toBe(201);
    await drop('objects');
  });

  it('looks at scopes', async () => {
    await quota('best-effort', { pods: '0' }, { scopes: ['BestEffort'] });
    expect((await api.call('POST', `${ROOT}/pods`, pod('best'))).status).toBe(403);
    expect((await api.call('POST', `${ROOT}/pods`, pod('burst', { requests: { cpu: '1' } }))).status).toBe(201);
    await drop('best-effort');
  });

  it('follows services as they change', async () => {
    await quota('ports', { 'services.nodeports': '1' });
    const service = { metadata: { name: 's' }, spec: { ports: [{ name: 'a', port: 80 }] } };
    const made = await api.call('POST', `${ROOT}/services`, service);
    expect(made.status).toBe(201);
    const patch = (spec: object) => api.call('PATCH', `${ROOT}/services/s`, { spec }, { type: 'application/merge-patch+json' });
    expect((await patch({ type: 'NodePort' })).status).toBe(200);
    expect(await used('ports')).toEqual({ 'services.nodeports': '1' });
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    expect((await patch({ ports })).json.message).toContain('exceeded quota: ports, requested: services.nodeports=1');
  });

  it('counts devices of classes, and the extended resources they stand for', async () => {
    const classes = '/apis/resource.k8s.io/v1/deviceclasses';
    const claims = '/apis/resource.k8s.io/v1/namespaces/small/resourceclaims';
    expect((await api.call('POST', classes, { metadata: { name: 'gpu' }, spec: { extendedResourceName: 'example.com/gpu' } })).status).toBe(201);
    const limits = { 'gpu.deviceclass.resource.k8s.io/devices': '3', 'requests.example.com/gpu': '5', 'count/resourceclaims.resource.k8s.io': '9' };
    await quota('devices', limits);
    const claim = (name: string, count: number) =>
      api.call('POST', claims, { metadata: { name }, spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', count } }] } } });
    expect((await claim('one', 2)).status).toBe(201);
    expect(await used('devices')).toEqual({
      'gpu.deviceclass.resource.k8s.io/devices': '2',
      'requests.example.com/gpu': '2',
      'count/resourceclaims.resource.k8s.io': '1',
    });
    expect((await claim('two', 2)).json.message).toContain('exceeded quota: devices, requested: gpu.deviceclass.resource.k8s.io/devices=2');
    await drop('devices');
  });
});
