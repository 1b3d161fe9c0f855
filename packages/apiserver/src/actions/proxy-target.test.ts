import { expect, it } from 'vitest';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { startTestServer } from '../testing/start-test-server.js';
import { parseProxyTarget, serviceEndpoints } from './proxy-target.js';

it('reads a target', () => {
  expect(parseProxyTarget('a')).toEqual({ scheme: 'http', name: 'a', port: '' });
  expect(parseProxyTarget('a:web')).toEqual({ scheme: 'http', name: 'a', port: 'web' });
  expect(parseProxyTarget('https:a:')).toEqual({ scheme: 'https', name: 'a', port: '' });
  expect(['ftp:a:1', 'HTTP:a:1', ':80', 'a:b:c:d'].map(parseProxyTarget)).toEqual([undefined, undefined, undefined, undefined]);
});

it('knows the endpoints of a service by the name of its port, of pods only', () => {
  const targetRef = { kind: 'Pod', namespace: 'n', name: 'p' };
  const slice = {
    metadata: { labels: { 'kubernetes.io/service-name': 's' } },
    ports: [{ name: 'web', port: 8080 }],
    endpoints: [
      { addresses: ['10.0.0.1'], targetRef },
      { addresses: ['10.0.0.2'], targetRef },
      { addresses: ['10.0.0.1'] },
      { addresses: ['10.0.0.1'], conditions: { ready: false }, targetRef },
    ],
  };
  const cache = { inNamespace: () => [{ object: slice }], get: () => ({ object: { status: { podIPs: [{ ip: '10.0.0.1' }] } } }) };
  const registry = { storage: () => ({ cache }) } as unknown as ResourceRegistry;
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'n' }, spec: { ports: [{ name: 'web', port: 80 }] } };
  const found = [{ ip: '10.0.0.1', port: 8080 }];
  expect(serviceEndpoints(registry, service, 'web')).toEqual(found);
  expect(serviceEndpoints(registry, service, '80')).toEqual(found);
  expect(serviceEndpoints(registry, service, '')).toEqual([]);
  expect(() => serviceEndpoints(registry, service, '81')).toThrow('no service port 81 found for service "s"');
});

it('looks up no names of container ports, as upstream', async () => {
  await using api = await startTestServer();
  const pods = '/api/v1/namespaces/default/pods';
  await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await api.call('POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 80 }] }] } });
  const get = async (target: string) => (await api.call('GET', `${pods}/${target}/proxy/`)).json;
  expect(await get('p:web')).toMatchObject({ code: 400, message: 'address not allowed' });
  await api.call('PATCH', `${pods}/p/status`, { status: { podIP: '10.1.1.1' } }, { type: 'application/merge-patch+json' });
  const message = (reason: string) => ({ code: 503, reason: 'ServiceUnavailable', message: `error trying to reach service: dial tcp: ${reason}` });
  expect(await get('p:web')).toMatchObject(message('lookup 10.1.1.1:web: no such host'));
  expect(await get('https:p:70000')).toMatchObject(message('address 70000: invalid port'));
  expect(await get('ftp:p:80')).toMatchObject({ code: 400, message: 'invalid pod request "ftp:p:80"' });
});
