import { allowlistProblem, VERIFICATION_MODES } from '../../images/verification-policy.js';
import { ID_BLOCK } from '../../volumes/user-namespaces.js';
import { countCpus } from '../cpu-list.js';
import type { Field } from '../kubelet-settings.js';
import { duration, given, noEffect, orDefault, settled, settledStrictly } from '../field-kinds.js';
import { amounts, atLeast, between, boolean, bytes, fail, fields, ms, oneOf, record, text, texts, within } from '../takes.js';

const LEVELS = ['none', 'pods', 'system-reserved', 'system-reserved-compressible', 'kube-reserved', 'kube-reserved-compressible'] as const;

function allowed(pattern: string): string {
  const problem = allowlistProblem(pattern);
  if (problem !== undefined) throw new TypeError(problem);
  return pattern;
}

/** What pods get: images, cgroups, resources, DNS, logs. */
export const podFields: Readonly<Record<string, Field>> = {
  staticPodPath: orDefault('staticPodPath', text),
  staticPodURL: orDefault('staticPodURL', (v) => (URL.canParse(text(v)) ? text(v) : fail('a URL'))),
  staticPodURLHeader: orDefault('staticPodURLHeader', (v) => within(record(v), texts)),
  fileCheckFrequency: duration('fileCheckFrequencyMs'),
  httpCheckFrequency: duration('httpCheckFrequencyMs'),
  syncFrequency: duration('syncFrequencyMs'),
  runOnce: settled([], 'the kubelet goes on running, as upstream from v1.34 on'),
  clusterDomain: orDefault('clusterDomain', text),
  clusterDNS: orDefault('clusterDNS', texts),
  resolvConf: given('resolvConf', text),
  hairpinMode: noEffect(oneOf('promiscuous-bridge', 'hairpin-veth', 'none')),
  maxPods: orDefault('maxPods', atLeast(0)),
  podsPerCore: orDefault('podsPerCore', atLeast(0)),
  podCIDR: orDefault('podCIDR', text),
  podPidsLimit: given('podPidsLimit', atLeast(-1)),
  podLogsDir: orDefault('podLogsDir', text),
  containerLogMaxSize: (v) => (v === '' ? {} : { containerLogMaxSizeBytes: bytes(v) }),
  containerLogMaxFiles: given('containerLogMaxFiles', atLeast(2)),
  containerLogMaxWorkers: settledStrictly([1], 'logs are rotated one after the other'),
  containerLogMonitorInterval: duration('containerLogMonitorIntervalMs'),
  crashLoopBackOff: (v) => {
    const { maxContainerRestartPeriod: maxMs } = fields<{ maxContainerRestartPeriod: number }>({ maxContainerRestartPeriod: ms })(v);
    if (maxMs === undefined) return {};
    if (maxMs < 1000 || maxMs > 300_000) return fail('from 1s to 300s (maxContainerRestartPeriod)');
    return { crashLoopBackOff: { initialMs: Math.min(10_000, maxMs), maxMs } };
  },
  allowedUnsafeSysctls: orDefault('allowedUnsafeSysctls', texts),
  seccompDefault: given('seccompDefault', boolean),
  configMapAndSecretChangeDetectionStrategy: settled(['Watch'], 'ConfigMaps and Secrets are watched'),
  userNamespaces: (v) => {
    const { idsPerPod } = fields<{ idsPerPod: number }>({ idsPerPod: between(ID_BLOCK, 2 ** 32 - ID_BLOCK) })(v);
    if (idsPerPod === undefined) return {};
    return idsPerPod % ID_BLOCK === 0 ? { userNamespaceIdsPerPod: idsPerPod } : fail(`a multiple of ${ID_BLOCK} (idsPerPod)`);
  },

  registryPullQPS: given('registryPullQPS', atLeast(0)),
  registryBurst: orDefault('registryBurst', atLeast(0)),
  serializeImagePulls: given('serializeImagePulls', boolean),
  maxParallelImagePulls: given('maxParallelImagePulls', atLeast(1)),
  imagePullCredentialsVerificationPolicy: orDefault('imagePullCredentialsVerificationPolicy', oneOf(...VERIFICATION_MODES)),
  preloadedImagesVerificationAllowlist: orDefault('preloadedImagesVerificationAllowlist', (v) => texts(v).map(allowed)),
  imageMinimumGCAge: duration('imageMinimumGCAgeMs'),
  imageMaximumGCAge: duration('imageMaximumGCAgeMs'),
  imageGCHighThresholdPercent: given('imageGCHighThresholdPercent', between(0, 100)),
  imageGCLowThresholdPercent: given('imageGCLowThresholdPercent', between(0, 100)),

  cgroupRoot: orDefault('cgroupRoot', text),
  cgroupsPerQOS: given('cgroupsPerQOS', boolean),
  cgroupDriver: orDefault('cgroupDriver', oneOf('cgroupfs', 'systemd')),
  kubeletCgroups: orDefault('kubeletCgroups', text),
  systemCgroups: settled([], 'processes of the system stay in the cgroups they are in'),
  systemReserved: orDefault('systemReserved', amounts),
  kubeReserved: orDefault('kubeReserved', amounts),
  systemReservedCgroup: orDefault('systemReservedCgroup', text),
  kubeReservedCgroup: orDefault('kubeReservedCgroup', text),
  enforceNodeAllocatable: given('enforceNodeAllocatable', (v) => texts(v).map(oneOf(...LEVELS))),
  reservedSystemCPUs: orDefault('reservedCPUs', countCpus),
  reservedMemory: settled([], 'memory is not bound to NUMA nodes'),
  cpuCFSQuota: given('cpuCFSQuota', boolean),
  cpuCFSQuotaPeriod: (v) => {
    const period = ms(v);
    if (period === 0) return {};
    return period >= 1 && period <= 1000 ? { cpuCFSQuotaPeriodMicros: period * 1000 } : fail('from 1ms to 1s');
  },
  cpuManagerPolicy: settled(['none', 'None'], 'containers share all CPUs'),
  cpuManagerPolicyOptions: settled([], 'containers share all CPUs'),
  cpuManagerReconcilePeriod: noEffect(ms),
  draManagerReconcilePeriod: noEffect(ms),
  memoryManagerPolicy: settled(['None', 'none'], 'memory is not bound to NUMA nodes'),
  topologyManagerPolicy: settled(['none'], 'containers are not aligned to NUMA nodes'),
  topologyManagerPolicyOptions: settled([], 'containers are not aligned to NUMA nodes'),
  topologyManagerScope: noEffect(oneOf('container', 'pod')),
  qosReserved: settled([], 'memory is not reserved for classes of pods'),
  memoryThrottlingFactor: noEffect((v) => (typeof v === 'number' && v > 0 && v <= 1 ? v : fail('a number above 0 and up to 1'))),
  memoryReservationPolicy: settled(['None'], 'memory is not reserved for classes of pods'),
  singleProcessOOMKill: settledStrictly([true], 'the OOM killer ends single processes'),
  memorySwap: (v) => {
    const { swapBehavior = '' } = fields<{ swapBehavior: string }>({ swapBehavior: oneOf('', 'NoSwap', 'LimitedSwap') })(v);
    return swapBehavior === 'LimitedSwap' ? fail('swapBehavior: NoSwap: containers are not given swap') : {};
  },
};
