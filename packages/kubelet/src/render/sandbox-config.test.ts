import type { Pod } from '@coxswain/api';
import { expect, it } from 'vitest';
import { sandboxConfig, type SandboxInput } from './sandbox-config.js';

const input: SandboxInput = {
  attempt: 0,
  hostname: 'web',
  dns: { servers: [], searches: [], options: [] },
  logDirectory: '/logs',
  cgroupParent: '',
  seccompRoot: '/seccomp',
  seccompDefault: false,
  resources: { cpuCfsQuota: true, cpuCfsPeriodMicros: 100_000, memoryCapacity: 1 << 30 },
};
const config = (spec: Partial<NonNullable<Pod['spec']>>) =>
  sandboxConfig(
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'u' }, spec: { containers: [{ name: 'app' }], ...spec } },
    input,
  );
const privileged = (spec: Partial<NonNullable<Pod['spec']>>) => config(spec).linux?.securityContext?.privileged;

it('a pod is privileged when any of its containers is, also one that came to debug it', () => {
  const securityContext = { privileged: true };
  expect(privileged({})).toBe(false);
  expect(privileged({ initContainers: [{ name: 'setup', securityContext }] })).toBe(true);
  expect(privileged({ ephemeralContainers: [{ name: 'debug', securityContext }] })).toBe(true);
});
