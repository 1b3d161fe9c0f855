import { expect, it } from 'vitest';
import { startTestServer } from '../../testing/start-test-server.js';

const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'a', imagePullPolicy: 'Never' }], ...spec } });

async function start(...enabledAdmission: string[]) {
  return startTestServer({ enabledAdmission, disabledAdmission: ['ServiceAccount'] });
}

it('by default none of them runs', async () => {
  await using api = await start();
  expect((await api.call('POST', PODS, pod('p'))).json.spec.containers[0].imagePullPolicy).toBe('Never');
});

it('AlwaysPullImages', async () => {
  await using api = await start('AlwaysPullImages');
  const spec = {
    initContainers: [{ name: 'i', image: 'b' }],
    volumes: [{ name: 'v', image: { reference: 'r', pullPolicy: 'Never' } }],
  };
  const { json } = await api.call('POST', PODS, pod('p', spec));
  expect([json.spec.containers[0].imagePullPolicy, json.spec.initContainers[0].imagePullPolicy, json.spec.volumes[0].image.pullPolicy]).toEqual([
    'Always',
    'Always',
    'Always',
  ]);
});

it('DenyServiceExternalIPs', async () => {
  await using api = await start('DenyServiceExternalIPs');
  const path = '/api/v1/namespaces/default/services';
  const service = (externalIPs?: string[]) => ({ metadata: { name: 's' }, spec: { ports: [{ port: 80 }], ...(externalIPs ? { externalIPs } : {}) } });
  const refused = await api.call('POST', path, service(['198.51.100.1']));
  expect([refused.status, refused.json.message]).toEqual([403, 'services "s" is forbidden: Use of external IPs is denied by admission control.']);
  expect((await api.call('POST', path, service())).status).toBe(201);
  expect((await api.call('PATCH', `${path}/s`, { spec: { externalIPs: ['198.51.100.1'] } }, { type: 'application/merge-patch+json' })).status).toBe(403);
});

it('ExtendedResourceToleration', async () => {
  await using api = await start('ExtendedResourceToleration');
  const resources = { requests: { 'example.com/gpu': '1', cpu: '1' }, limits: { 'example.com/gpu': '1' } };
  const { json } = await api.call('POST', PODS, pod('p', { containers: [{ name: 'c', image: 'a', resources }] }));
  expect(json.spec.tolerations).toContainEqual({ key: 'example.com/gpu', operator: 'Exists', effect: 'NoSchedule' });
  expect(json.spec.tolerations).toHaveLength(3);
});

it('LimitPodHardAntiAffinityTopology', async () => {
  await using api = await start('LimitPodHardAntiAffinityTopology');
  const affinity = (topologyKey: string) => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] } } });
  const refused = await api.call('POST', PODS, pod('p', affinity('topology.kubernetes.io/zone')));
  expect([refused.status, refused.json.message]).toEqual([403, expect.stringContaining('has TopologyKey topology.kubernetes.io/zone but only key')]);
  expect((await api.call('POST', PODS, pod('p', affinity('kubernetes.io/hostname')))).status).toBe(201);
});

it('NamespaceExists, without NamespaceLifecycle', async () => {
  await using api = await startTestServer({ enabledAdmission: ['NamespaceExists'], disabledAdmission: ['NamespaceLifecycle'] });
  const answer = await api.call('POST', '/api/v1/namespaces/gone/configmaps', { metadata: { name: 'a' } });
  expect([answer.status, answer.json.message]).toEqual([404, 'namespaces "gone" not found']);
});

it('AlwaysDeny, when the server itself has begun without it, denies', async () => {
  // A server makes objects of its own when it starts: they are denied as well.
  await expect(start('AlwaysDeny')).rejects.toThrow('admission control is denying all modifications');
});

it('--allow-privileged=false', async () => {
  await using api = await startTestServer({ disabledAdmission: ['ServiceAccount'], admissionSettings: { allowPrivileged: false } });
  const containers = [{ name: 'c', image: 'a', securityContext: { privileged: true } }];
  const refused = await api.call('POST', PODS, pod('p', { containers }));
  expect([refused.status, refused.json.message]).toEqual([
    422,
    'Pod "p" is invalid: spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy',
  ]);
  const template = { metadata: { labels: { a: 'b' } }, spec: { initContainers: [], containers } };
  const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
  const whole = await api.call('POST', '/apis/apps/v1/namespaces/default/deployments', deployment);
  expect([whole.status, whole.json.details.causes[0].field]).toEqual([422, 'spec.template.spec.containers[0].securityContext.privileged']);
  expect((await api.call('POST', PODS, pod('q'))).status).toBe(201);
});

it('--default-…-toleration-seconds', async () => {
  await using api = await startTestServer({ disabledAdmission: ['ServiceAccount'], admissionSettings: { tolerationSeconds: { notReady: 7, unreachable: 9 } } });
  const { json } = await api.call('POST', PODS, pod('p'));
  expect(json.spec.tolerations.map(({ key, tolerationSeconds }: { key: string; tolerationSeconds: number }) => [key, tolerationSeconds])).toEqual([
    ['node.kubernetes.io/not-ready', 7],
    ['node.kubernetes.io/unreachable', 9],
  ]);
});
