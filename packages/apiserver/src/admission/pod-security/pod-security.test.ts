import { describe, expect, it } from 'vitest';
import { startTestServer } from '../../testing/start-test-server.js';
import { podView } from './check.js';
import { detailsOf, evaluate, policyOf } from './policy.js';

const judge = (spec: object, level: 'baseline' | 'restricted', version = 'latest') => detailsOf(evaluate(podView({ spec }), { level, version }));
const safe = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

describe('Pod Security Standards', () => {
  it('finds what restricted forbids, in upstream words and order', () => {
    expect(judge({ containers: [{ name: 'a' }], volumes: [{ name: 'v', hostPath: {} }] }, 'restricted')).toBe(
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), ' +
        'restricted volume types (volume "v" uses restricted volume type "hostPath"), ' +
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
    expect(judge({ containers: [{ name: 'a', securityContext: safe }], volumes: [{ name: 'v', emptyDir: {} }] }, 'restricted')).toBe('');
  });

  it('finds what baseline forbids', () => {
    const spec = {
      hostNetwork: true,
      hostPID: true,
      containers: [
        { name: 'a', securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }, ports: [{ hostPort: 80 }, { hostPort: 443 }] },
        { name: 'b', securityContext: { privileged: true, seccompProfile: { type: 'Unconfined' } } },
      ],
    };
    expect(judge(spec, 'baseline')).toBe(
      'non-default capabilities (container "a" must not include "NET_ADMIN" in securityContext.capabilities.add), ' +
        'host namespaces (hostNetwork=true, hostPID=true), hostPorts (container "a" uses hostPorts 443, 80), ' +
        'privileged (containers "a", "b" must not set securityContext.privileged=true), ' +
        'seccompProfile (container "b" must not set securityContext.seccompProfile.type to "Unconfined")',
    );
    expect(judge({ containers: [{ name: 'a' }] }, 'baseline')).toBe('');
  });

  it('follows the version of the policy', () => {
    const sysctls = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] }, containers: [] };
    expect(judge(sysctls, 'baseline', 'v1.31')).toBe('forbidden sysctls (net.ipv4.tcp_rmem)');
    expect(judge(sysctls, 'baseline', 'v1.32')).toBe('');
  });

  it('reads labels', () => {
    const { modes, errors } = policyOf({ 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/enforce-version': 'v2' });
    expect(modes.enforce).toEqual({ level: 'baseline', version: 'latest' });
    expect(errors).toHaveLength(1);
  });

  it('refuses and warns at the server', async () => {
    await using api = await startTestServer();
    const labels = { 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/warn': 'restricted' };
    await api.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'secure', labels } });
    await api.call('POST', '/api/v1/namespaces/secure/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    const pod = (name: string, spec: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
    });
    const refused = await api.call('POST', '/api/v1/namespaces/secure/pods', pod('bad', { hostNetwork: true }));
    expect(refused.status).toBe(403);
    expect(refused.json.message).toBe('pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)');
    const warned = await api.call('POST', '/api/v1/namespaces/secure/pods', pod('ok', {}));
    expect(warned.status).toBe(201);
    expect(String(warned.headers.warning)).toContain('would violate PodSecurity \\"restricted:latest\\"');
    const wrong = await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'x', labels: { 'pod-security.kubernetes.io/enforce': 'strict' } } });
    expect([wrong.status, wrong.json.reason]).toEqual([422, 'Invalid']);
  });
});
