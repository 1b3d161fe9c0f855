import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { ensureFlowControl, ensureKubernetesService } from './bootstrap.js';

const FLOW_CONTROL = '/apis/flowcontrol.apiserver.k8s.io/v1';
const SERVICE = '/api/v1/namespaces/default/services/kubernetes';

it('what somebody deleted of what a cluster needs comes back', async () => {
  await using api = await startTestServer();
  const options = { transport: api.server.transport({ name: 'system:apiserver', groups: ['system:masters'] }), registry: api.server.registry };
  const { json: service } = await api.call('GET', SERVICE);
  const schema = `${FLOW_CONTROL}/flowschemas/exempt`;
  const level = `${FLOW_CONTROL}/prioritylevelconfigurations/global-default`;
  for (const path of [SERVICE, schema, level]) expect((await api.call('DELETE', path)).status).toBe(200);
  const { clusterIP, ports } = service.spec;
  await ensureKubernetesService({ ...options, kubernetesIP: clusterIP, securePort: ports[0].targetPort });
  await ensureFlowControl(options);
  expect((await api.call('GET', SERVICE)).json.spec).toEqual(service.spec);
  for (const path of [schema, level]) expect((await api.call('GET', path)).status).toBe(200);
});

it('system priority classes stay', async () => {
  await using api = await startTestServer();
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
  expect((await api.call('DELETE', `${classes}/system-node-critical`)).json).toMatchObject({
    code: 403,
    message: 'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
  });
  await api.call('POST', classes, { metadata: { name: 'own' }, value: 3 });
  expect((await api.call('DELETE', `${classes}/own`)).status).toBe(200);
});
