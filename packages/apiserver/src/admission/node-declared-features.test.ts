import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

const resources = (cpu: string) => ({ requests: { cpu, memory: '1Gi' }, limits: { cpu, memory: '1Gi' } });

it('a bound pod is resized where its node has declared that it can', async () => {
  await using api = await startTestServer({ disabledAdmission: ['ServiceAccount'] });
  const node = (name: string, declaredFeatures: string[]) => ({ metadata: { name }, status: { declaredFeatures } });
  for (const each of [node('old', []), node('new', ['GuaranteedQoSPodCPUResize', 'InPlacePodLevelResourcesVerticalScaling'])])
    expect((await api.call('POST', '/api/v1/nodes', each)).status).toBe(201);
  const path = '/api/v1/namespaces/default/pods';
  const resize = async (name: string, nodeName: string, own: boolean) => {
    const container = { name: 'c', image: 'i', ...(own ? {} : { resources: resources('1') }) };
    const spec = { ...(nodeName ? { nodeName } : {}), containers: [container], ...(own ? { resources: resources('1') } : {}) };
    expect((await api.call('POST', path, { metadata: { name }, spec })).status).toBe(201);
    const changed = own ? { resources: resources('2') } : { containers: [{ name: 'c', resources: resources('2') }] };
    const type = 'application/strategic-merge-patch+json';
    return (await api.call('PATCH', `${path}/${name}/resize`, { spec: changed }, { type })).json;
  };
  const missing = (name: string, features: string, nodeName: string) => ({
    code: 403,
    message: `pods "${name}" is forbidden: pod update requires features ${features} which are not available on node "${nodeName}"`,
  });
  expect(await resize('a', 'old', false)).toMatchObject(missing('a', 'GuaranteedQoSPodCPUResize', 'old'));
  expect(await resize('b', 'old', true)).toMatchObject(missing('b', 'InPlacePodLevelResourcesVerticalScaling', 'old'));
  expect((await resize('c', 'new', true)).spec.resources.limits.cpu).toBe('2');
  expect((await resize('d', 'new', false)).spec.containers[0].resources.limits.cpu).toBe('2');
  expect((await resize('e', '', true)).spec.resources.limits.cpu).toBe('2');
  expect(await resize('f', 'gone', true)).toMatchObject({ code: 403, message: 'pods "f" is forbidden: node "gone" not found' });
});
