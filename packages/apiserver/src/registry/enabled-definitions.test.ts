import { definitions } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/start-test-server.js';
import { enabledDefinitions } from './enabled-definitions.js';

const enabled = (...pairs: [string, boolean][]) => enabledDefinitions(new Map(pairs), definitions);
const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
const pods = { group: '', version: 'v1', resource: 'pods' };

describe('--runtime-config', () => {
  it('the more a key says, the stronger it is, in whatever order', () => {
    expect(enabled()(deployments)).toBe(true);
    expect(enabled(['apps/v1', false])(deployments)).toBe(false);
    expect(enabled(['apps/v1', false])(pods)).toBe(true);
    expect(enabled(['apps/v1/deployments', true], ['apps/v1', false])(deployments)).toBe(true);
    expect(enabled(['apps/v1/deployments', true], ['apps/v1', false])({ ...deployments, resource: 'daemonsets' })).toBe(false);
    expect(enabled(['api/ga', true], ['api/all', false])(deployments)).toBe(true);
    expect(enabled(['api/beta', false], ['api/alpha', false])(deployments)).toBe(true);
  });

  it.each<[string, boolean, string | undefined]>([
    ['api/all', true, undefined],
    ['api/beta', true, undefined],
    ['v1', true, undefined],
    ['batch/v1beta1', false, undefined],
    ['internal.apiserver.k8s.io/v1alpha1', false, undefined],
    ['nope.example.com/v1', true, 'unknown api groups nope.example.com'],
    ['resource.k8s.io/v1beta1', true, 'resource.k8s.io/v1beta1 is not served here and cannot be turned on'],
    ['internal.apiserver.k8s.io/v1alpha1', true, 'cannot be turned on'],
    ['apps', true, '"apps" is not group/version'],
    ['api/legacy', true, 'api/legacy is no longer supported'],
    ['v1', false, 'v1 cannot be turned off: the API server needs it itself'],
    ['api/all', false, 'rbac.authorization.k8s.io/v1 cannot be turned off'],
  ])('%s=%s: %s', (key, on, problem) => {
    if (problem === undefined) expect(() => enabled([key, on])).not.toThrow();
    else expect(() => enabled([key, on])).toThrow(problem);
  });

  it('what is turned off is nowhere to be seen, and what the server itself goes by works on', async () => {
    const off: [string, boolean][] = [
      ['batch/v1', false],
      ['autoscaling/v1', false],
      ['storage.k8s.io/v1', false],
      ['policy/v1', false],
      ['node.k8s.io/v1', false],
      ['admissionregistration.k8s.io/v1', false],
      ['apiextensions.k8s.io/v1', false],
      ['apps/v1/deployments', false],
    ];
    await using api = await startTestServer({ serves: enabled(...off) });
    const groups = ((await api.call('GET', '/apis')).json.groups as { name: string; versions: { version: string }[] }[]).map(
      ({ name, versions }) => `${name}/${versions.map(({ version }) => version).join()}`,
    );
    expect(groups).toEqual(expect.arrayContaining(['apps/v1', 'autoscaling/v2']));
    for (const gone of ['batch', 'storage.k8s.io', 'policy']) expect(groups.filter((name) => name.startsWith(`${gone}/`))).toEqual([]);
    expect((await api.call('GET', '/apis/batch/v1')).status).toBe(404);
    expect((await api.call('GET', '/apis/batch/v1/namespaces/default/jobs')).status).toBe(404);
    expect((await api.call('GET', '/apis/apps/v1/namespaces/default/deployments')).status).toBe(404);
    expect((await api.call('GET', '/apis/apps/v1/namespaces/default/daemonsets')).status).toBe(200);
    const v3 = Object.keys((await api.call('GET', '/openapi/v3')).json.paths as object);
    expect(v3).toContain('apis/apps/v1');
    expect(v3).not.toContain('apis/batch/v1');
    const v2 = await api.call('GET', '/openapi/v2');
    expect(v2.text).toContain('"/apis/apps/v1/');
    expect(v2.text).not.toContain('"/apis/batch/v1/');
    // RuntimeClass and StorageClass admission, and evictions with their budgets.
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    expect((await api.call('POST', '/api/v1/namespaces/default/pods', pod)).status).toBe(201);
    const claim = { metadata: { name: 'c' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
    expect((await api.call('POST', '/api/v1/namespaces/default/persistentvolumeclaims', claim)).status).toBe(201);
  });
});
