import { describe, expect, it } from 'vitest';
import { KUBEADM } from './kubeadm.fixture.js';
import { configurationFields, kubeletSettings, mergeConfiguration } from './kubelet-configuration.js';

it("takes kubeadm's, whose zeros ask for the defaults", () => {
  expect(kubeletSettings(KUBEADM)).toEqual({
    anonymousAuth: false,
    webhookAuth: true,
    clientCAFile: '/etc/kubernetes/pki/ca.crt',
    authorization: 'Webhook',
    cgroupDriver: 'systemd',
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10_248,
    rotateCertificates: true,
    staticPodPath: '/etc/kubernetes/manifests',
    verbosity: 0,
    maxParallelImagePulls: 1,
  });
});

it('takes values in our units', () => {
  expect(
    kubeletSettings({
      containerLogMaxSize: '20Mi',
      cpuCFSQuotaPeriod: '50ms',
      imageMinimumGCAge: '1m30s',
      nodeStatusUpdateFrequency: '20s',
      registerWithTaints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
      evictionSoft: { 'memory.available': '1.5Gi' },
      evictionSoftGracePeriod: { 'memory.available': '1m30s' },
      evictionHard: { 'memory.available': '200Mi' },
      mergeDefaultEvictionSettings: true,
      crashLoopBackOff: { maxContainerRestartPeriod: '5s' },
      systemReserved: { cpu: '100m', memory: '1Gi' },
      kubeReserved: { cpu: '1', pid: '100' },
      reservedSystemCPUs: '0-1,4',
      serializeImagePulls: false,
      maxParallelImagePulls: 3,
      tlsMinVersion: 'VersionTLS13',
      tlsCipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
      authentication: { webhook: { cacheTTL: '10s' } },
    }),
  ).toEqual({
    containerLogMaxSizeBytes: 20 * 1024 * 1024,
    cpuCFSQuotaPeriodMicros: 50_000,
    imageMinimumGCAgeMs: 90_000,
    nodeStatusUpdateFrequencyMs: 20_000,
    nodeStatusReportFrequencyMs: 20_000,
    registerWithTaints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
    evictionSoft: { 'memory.available': '1.5Gi' },
    evictionSoftGracePeriodMs: { 'memory.available': 90_000 },
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%' },
    mergeDefaultEvictionSettings: true,
    crashLoopBackOff: { initialMs: 5000, maxMs: 5000 },
    systemReserved: { cpu: '3', memory: '1Gi' },
    kubeReserved: { pid: '100' },
    reservedCPUs: 3,
    serializeImagePulls: false,
    maxParallelImagePulls: 3,
    tlsMinVersion: 'TLSv1.3',
    tlsCiphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    tokenCacheMs: 10_000,
  });
});

it.each([
  [{ topologyManagerPolicy: 'best-effort' }, 'topologyManagerPolicy: containers are not aligned to NUMA nodes (takes "none")'],
  [{ cpuManagerPolicy: 'static' }, 'cpuManagerPolicy: containers share all CPUs'],
  [{ shutdownGracePeriod: '30s' }, 'shutdownGracePeriod: pods are not ended when the machine shuts down'],
  [{ memorySwap: { swapBehavior: 'LimitedSwap' } }, 'memorySwap: must be swapBehavior: NoSwap'],
  [{ enableServer: false }, 'enableServer: the HTTPS API is always served'],
  [{ enableControllerAttachDetach: false }, 'enableControllerAttachDetach: volumes are attached by'],
  [{ imagePullCredentialsVerificationPolicy: 'Sometimes' }, 'imagePullCredentialsVerificationPolicy: must be NeverVerify,'],
  [{ preloadedImagesVerificationAllowlist: ['a.test/b'] }, 'preloadedImagesVerificationAllowlist: can only be set with'],
  [
    { imagePullCredentialsVerificationPolicy: 'NeverVerifyAllowlistedImages', preloadedImagesVerificationAllowlist: ['a.test/*/b'] },
    'preloadedImagesVerificationAllowlist: not a valid wildcard pattern',
  ],
  [{ staticPodURL: 'pods' }, 'staticPodURL: must be a URL'],
  [{ tracing: { samplingRatePerMillion: 1 } }, 'tracing: traces are not exported'],
  [{ featureGates: { NoSuchGate: true } }, 'featureGates: NoSuchGate: unrecognized feature gate'],
  [{ featureGates: { MemoryQoS: true } }, 'featureGates: MemoryQoS: cannot be set to true: here it is false'],
  [{ maxPods: 'many' }, 'maxPods: must be a whole number'],
  [{ healthzPort: 70_000 }, 'healthzPort: must be from 0 to 65535'],
  [{ evictionHard: { 'memory.available': 100 } }, 'evictionHard: memory.available: must be a string'],
  [{ evictionHard: { 'memory.free': '1Gi' } }, 'evictionHard: must be by eviction signal'],
  [{ evictionSoft: { 'memory.available': '1Gi' } }, 'evictionSoft: grace period must be specified'],
  [{ imageMinimumGCAge: 'soon' }, 'imageMinimumGCAge: must be a duration'],
  [{ imageGCHighThresholdPercent: 70 }, 'imageGCLowThresholdPercent: 80 must be less than'],
  [{ authentication: { x509: { caFile: 'a' } } }, 'authentication: x509: caFile: unknown field'],
  [{ registerWithTaints: [{ key: 'a', effect: 'Never' }] }, 'registerWithTaints: effect: must be NoSchedule'],
  [{ enforceNodeAllocatable: ['system-reserved'] }, 'enforceNodeAllocatable: system-reserved takes systemReservedCgroup'],
  [{ maxParallelImagePulls: 2 }, 'maxParallelImagePulls: cannot be larger than 1 unless serializeImagePulls is set to false'],
  [{ tlsMinVersion: 'TLS1.2' }, 'tlsMinVersion: must be VersionTLS10'],
  [{ tlsCipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] }, 'tlsCipherSuites: must be of the cipher suites'],
  [{ crashLoopBackOff: { maxContainerRestartPeriod: '10m' } }, 'crashLoopBackOff: must be from 1s to 300s'],
  [{ logging: { vmodule: [{ filePattern: 'a', verbosity: 5 }] } }, 'logging: vmodule: must be empty'],
  [{ reservedSystemCPUs: '3-1' }, 'reservedSystemCPUs: must be a list of CPUs'],
  [{ maxPod: 3 }, 'maxPod: unknown field'],
])('%j is refused', (raw, message) => expect(() => kubeletSettings(raw)).toThrow(message));

it('a zero that is meant is no default', () => {
  expect(kubeletSettings({ reservedSystemCPUs: '0' })).toMatchObject({ systemReserved: { cpu: '1' } });
  expect(kubeletSettings({ healthzPort: 0, evictionHard: {}, enforceNodeAllocatable: [], registryPullQPS: 0, cpuCFSQuota: false })).toMatchObject({
    healthzPort: 0,
    evictionHard: {},
    enforceNodeAllocatable: [],
    registryPullQPS: 0,
    cpuCFSQuota: false,
  });
});

describe('a drop-in', () => {
  it('is merged into maps, and replaces all else', () => {
    const base = { maxPods: 10, clusterDNS: ['10.96.0.10'], evictionHard: { 'memory.available': '1Gi', 'pid.available': '5%' } };
    expect(mergeConfiguration(base, { clusterDNS: ['10.96.0.11'], evictionHard: { 'memory.available': '2Gi', 'pid.available': null } })).toEqual({
      maxPods: 10,
      clusterDNS: ['10.96.0.11'],
      evictionHard: { 'memory.available': '2Gi' },
    });
  });
});

it('every field can be left empty', () => {
  for (const name of Object.keys(configurationFields)) expect(() => kubeletSettings({ [name]: null }), name).not.toThrow();
});
