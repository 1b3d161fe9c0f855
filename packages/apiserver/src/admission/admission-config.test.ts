import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { readAdmissionConfig } from './admission-config.js';

const folder = mkdtempSync(join(tmpdir(), 'admission-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'admission.yaml');
const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n';
const POD_SECURITY = `
apiVersion: pod-security.admission.config.k8s.io/v1
kind: PodSecurityConfiguration
defaults: { enforce: baseline, enforce-version: v1.36, warn: restricted }
exemptions: { usernames: [bob], namespaces: [kube-system], runtimeClasses: [] }
`;
writeFileSync(join(folder, 'pod-security.yaml'), POD_SECURITY);

describe('--admission-control-config-file', () => {
  it('PodSecurity: defaults where a namespace has no labels, and exemptions', async () => {
    const settings = await readAdmissionConfig(`${HEAD}plugins: [{ name: PodSecurity, path: pod-security.yaml }, { name: EventRateLimit }]`, file);
    await using api = await startTestServer({
      disabledAdmission: ['ServiceAccount'],
      authorizationModes: ['AlwaysAllow'],
      admissionSettings: settings,
    });
    const pod = { metadata: { generateName: 'p-' }, spec: { hostNetwork: true, containers: [{ name: 'c', image: 'a' }] } };
    const inNamespace = (namespace: string, token = 'admin', body: object = pod) => api.call('POST', `/api/v1/namespaces/${namespace}/pods`, body, { token });
    const refused = await inNamespace('default');
    expect([refused.status, refused.json.message]).toEqual([403, expect.stringContaining('violates PodSecurity "baseline:v1.36": host namespaces')]);
    const warned = await inNamespace('default', 'admin', { ...pod, spec: { containers: pod.spec.containers } });
    expect([warned.status, String(warned.headers.warning)]).toEqual([201, expect.stringContaining('would violate PodSecurity \\"restricted:latest\\"')]);
    expect((await inNamespace('kube-system')).status).toBe(201);
    expect((await inNamespace('default', 'bob')).status).toBe(201);
    // A label says more than the default.
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'free', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } });
    expect((await inNamespace('free')).status).toBe(201);
  });

  it.each([
    ['kind: Other', 'not an AdmissionConfiguration of apiserver.config.k8s.io/v1'],
    [
      `${HEAD}plugins: [{ name: ImagePolicyWebhook, configuration: { kind: Configuration } }]`,
      'plugins[0]: plugin "ImagePolicyWebhook" is not part of this API server',
    ],
    [`${HEAD}plugins: [{ name: Nope, configuration: { kind: X } }]`, 'plugins[0]: plugin "Nope" is unknown'],
    [`${HEAD}plugins: [{ name: Priority, configuration: { kind: X } }]`, 'plugins[0]: plugin "Priority" takes no configuration here'],
    [`${HEAD}plugins: [{ name: PodSecurity, path: a, configuration: { kind: X } }]`, 'path and configuration cannot both be set'],
    [`${HEAD}plugins: [{ name: PodSecurity, path: missing.yaml }]`, 'plugins[0].path:'],
    [`${HEAD}plugins: [{ name: PodSecurity, configuration: { kind: X } }]`, 'PodSecurity: not a PodSecurityConfiguration'],
    [
      `${HEAD}plugins: [{ name: PodSecurity, configuration: { apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: { enforce: strict } } }]`,
      'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted',
    ],
  ])('%s: %s', async (text, message) => {
    await expect(readAdmissionConfig(text, file)).rejects.toThrow(message);
  });
});
