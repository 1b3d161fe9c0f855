import { expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';

const head = (kind: string) => ({ apiVersion: 'resource.k8s.io/v1', kind });
const claim = (exactly: object) => ({
  ...head('ResourceClaim'),
  metadata: { name: 'c' },
  spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', ...exactly } }] } },
});

it('administrative access to devices is for namespaces that are marked for it', async () => {
  await using api = await startTestServer();
  const path = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
  const wanted = claim({ adminAccess: true });
  for (const query of ['', '?dryRun=All']) {
    const refused = await api.call('POST', `${path}${query}`, wanted);
    expect([refused.status, refused.json.message]).toEqual([
      422,
      'ResourceClaim.resource.k8s.io "c" is invalid: spec.devices.requests[0].exactly.adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    ]);
  }
  const template = { ...head('ResourceClaimTemplate'), metadata: { name: 't' }, spec: { spec: wanted.spec } };
  expect((await api.call('POST', path.replace('claims', 'claimtemplates'), template)).status).toBe(422);
  const labels = { 'resource.kubernetes.io/admin-access': 'true' };
  expect(
    (await api.call('PATCH', '/api/v1/namespaces/default', { metadata: { labels } }, { headers: { 'content-type': 'application/merge-patch+json' } })).status,
  ).toBe(200);
  expect((await api.call('POST', path, wanted)).status).toBe(201);
});

it('selectors of claims and classes compile', async () => {
  await using api = await startTestServer();
  const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] });
  const path = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
  const refused = await api.call('POST', path, claim(cel('device.driver ==')));
  expect(refused.json.message).toMatch(
    /spec\.devices\.requests\[0\]\.exactly\.selectors\[0\]\.cel\.expression: Invalid value: "device\.driver ==": compilation failed: ERROR/,
  );
  expect((await api.call('POST', path, claim(cel('device.driver.size() > 3')))).status).toBe(201);
  expect((await api.call('POST', path, claim(cel('"x"')))).json.message).toContain('cel expression must evaluate to a bool');
  const classes = '/apis/resource.k8s.io/v1/deviceclasses';
  const made = { ...head('DeviceClass'), metadata: { name: 'gpu' }, spec: cel('devices') };
  expect((await api.call('POST', classes, made)).json.message).toContain('spec.selectors[0].cel.expression: Invalid value: "devices"');
  expect((await api.call('POST', classes, { ...made, spec: cel('device.driver == "gpu.example.com"') })).status).toBe(201);
});
