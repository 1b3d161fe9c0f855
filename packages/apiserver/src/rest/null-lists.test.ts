import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

const ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };

it('lists that are not there are null, as upstream writes them, and are changed like empty ones', async () => {
  await using api = await startTestServer();
  const types = ['application/strategic-merge-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'] as const;
  for (const [i, type] of types.entries()) {
    const name = `r${i}`;
    const made = await api.call('POST', ROLES, { metadata: { name } });
    expect(made.json.rules).toBeNull();
    expect((await api.call('GET', `${ROLES}/${name}`)).text).toBe(made.text);
    // What came from it is written back as it is: nothing changes.
    expect((await api.call('PUT', `${ROLES}/${name}`, made.json)).json.metadata.resourceVersion).toBe(made.json.metadata.resourceVersion);
    expect((await api.call('PUT', `${ROLES}/${name}`, { ...made.json, rules: [] })).json.metadata.resourceVersion).toBe(made.json.metadata.resourceVersion);
    const query = type.includes('apply') ? '?fieldManager=m' : '';
    const patch = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [rule] };
    expect((await api.call('PATCH', `${ROLES}/${name}${query}`, patch, { type })).json.rules).toEqual([rule]);
    expect((await api.call('PATCH', `${ROLES}/${name}`, { rules: null }, { type: 'application/merge-patch+json' })).json.rules).toBeNull();
  }
  const slice = (name: string, more: object = {}) => api.call('POST', SLICES, { metadata: { name }, addressType: 'IPv4', ...more });
  expect((await slice('none')).json).toMatchObject({ endpoints: null, ports: null });
  expect((await slice('empty', { endpoints: [], ports: [] })).json).toMatchObject({ endpoints: null, ports: null });
  const endpoints = [{ addresses: ['10.0.0.1'] }];
  const patched = await api.call('PATCH', `${SLICES}/none`, { endpoints, ports: [{ port: 80 }] }, { type: types[0] });
  expect(patched.json).toMatchObject({ endpoints, ports: [{ name: '', port: 80, protocol: 'TCP' }] });
  const table = await api.call('GET', SLICES, undefined, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } });
  expect(table.json.rows.map(({ cells }: { cells: unknown[] }) => cells[0])).toEqual(expect.arrayContaining(['none', 'empty']));
});
