import { formatDuration } from '@coxswain/apimachinery';
import type { KubeletOptions } from '../options.js';
import { formatBytes } from '../pod/quantity.js';

/** The configuration in force in the form of upstream's KubeletConfiguration, as /configz shows it and its readers expect it. */
export function configurationOf(o: KubeletOptions): Readonly<Record<string, unknown>> {
  return {
    ...servingOf(o),
    ...podsOf(o),
    ...nodeOf(o),
    ...SETTLED,
  };
}

function servingOf(o: KubeletOptions) {
  return {
    enableServer: true,
    address: o.address,
    port: o.port,
    readOnlyPort: o.readOnlyPort,
    healthzPort: o.healthzPort,
    healthzBindAddress: o.healthzBindAddress,
    tlsMinVersion: o.tlsMinVersion === 'TLSv1.3' ? 'VersionTLS13' : 'VersionTLS12',
    authentication: {
      x509: {},
      webhook: { enabled: o.authentication.webhook, cacheTTL: formatDuration(o.tokenCacheMs) },
      anonymous: { enabled: o.authentication.anonymous },
    },
    authorization: {
      mode: o.authorization,
      webhook: { cacheAuthorizedTTL: formatDuration(o.allowedCacheMs), cacheUnauthorizedTTL: formatDuration(o.deniedCacheMs) },
    },
    enableDebuggingHandlers: o.enableDebuggingHandlers,
    enableProfilingHandler: o.enableProfilingHandler,
    enableDebugFlagsHandler: o.enableDebugFlagsHandler,
    enableSystemLogHandler: o.enableSystemLogHandler,
    streamingConnectionIdleTimeout: formatDuration(o.streamingConnectionIdleTimeoutMs),
  };
}

function podsOf(o: KubeletOptions) {
  return {
    ...(o.staticPodPath ? { staticPodPath: o.staticPodPath } : {}),
    ...(o.staticPodURL ? { staticPodURL: o.staticPodURL } : {}),
    podLogsDir: o.podLogsDir,
    syncFrequency: formatDuration(o.syncFrequencyMs),
    fileCheckFrequency: formatDuration(o.fileCheckFrequencyMs),
    httpCheckFrequency: formatDuration(o.httpCheckFrequencyMs),
    clusterDomain: o.clusterDomain,
    clusterDNS: o.clusterDNS,
    resolvConf: o.resolvConf,
    maxPods: o.maxPods,
    ...(o.podCIDR ? { podCIDR: o.podCIDR } : {}),
    podPidsLimit: o.podPidsLimit,
    registryPullQPS: o.registryPullQPS,
    registryBurst: o.registryBurst,
    serializeImagePulls: o.maxParallelImagePulls === 1,
    ...(o.maxParallelImagePulls === undefined ? {} : { maxParallelImagePulls: o.maxParallelImagePulls }),
    imagePullCredentialsVerificationPolicy: o.imagePullCredentialsVerificationPolicy,
    ...(o.preloadedImagesVerificationAllowlist.length > 0 ? { preloadedImagesVerificationAllowlist: o.preloadedImagesVerificationAllowlist } : {}),
    imageMinimumGCAge: formatDuration(o.imageMinimumGCAgeMs),
    imageMaximumGCAge: formatDuration(o.imageMaximumGCAgeMs),
    imageGCHighThresholdPercent: o.imageGCHighThresholdPercent,
    imageGCLowThresholdPercent: o.imageGCLowThresholdPercent,
    cgroupRoot: o.cgroupRoot,
    cgroupsPerQOS: o.cgroupsPerQOS,
    cgroupDriver: o.cgroupDriver,
    cpuCFSQuota: o.cpuCFSQuota,
    cpuCFSQuotaPeriod: formatDuration(o.cpuCFSQuotaPeriodMicros / 1000),
    seccompDefault: o.seccompDefault,
    allowedUnsafeSysctls: o.allowedUnsafeSysctls,
    containerLogMaxSize: formatBytes(o.containerLogMaxSizeBytes),
    containerLogMaxFiles: o.containerLogMaxFiles,
    containerLogMonitorInterval: formatDuration(o.containerLogMonitorIntervalMs),
    crashLoopBackOff: { maxContainerRestartPeriod: formatDuration(o.crashLoopBackOff.maxMs) },
  };
}

function nodeOf(o: KubeletOptions) {
  return {
    registerNode: o.registerNode,
    ...(o.registerWithTaints.length > 0 ? { registerWithTaints: o.registerWithTaints } : {}),
    ...(o.providerID ? { providerID: o.providerID } : {}),
    nodeStatusUpdateFrequency: formatDuration(o.nodeStatusUpdateFrequencyMs),
    nodeStatusReportFrequency: formatDuration(o.nodeStatusReportFrequencyMs),
    nodeLeaseDurationSeconds: o.nodeLeaseDurationSeconds,
    nodeStatusMaxImages: o.nodeStatusMaxImages,
    eventRecordQPS: o.eventRecordQPS,
    eventBurst: o.eventBurst,
    evictionHard: o.evictionHard,
    evictionSoft: o.evictionSoft,
    evictionSoftGracePeriod: Object.fromEntries(Object.entries(o.evictionSoftGracePeriodMs).map(([signal, ms]) => [signal, formatDuration(ms)])),
    evictionMinimumReclaim: o.evictionMinimumReclaim,
    evictionPressureTransitionPeriod: formatDuration(o.evictionPressureTransitionPeriodMs),
    evictionMaxPodGracePeriod: o.evictionMaxPodGracePeriodSeconds,
    systemReserved: o.systemReserved,
    kubeReserved: o.kubeReserved,
    ...(o.systemReservedCgroup ? { systemReservedCgroup: o.systemReservedCgroup } : {}),
    ...(o.kubeReservedCgroup ? { kubeReservedCgroup: o.kubeReservedCgroup } : {}),
    enforceNodeAllocatable: o.enforceNodeAllocatable,
    localStorageCapacityIsolation: o.localStorageCapacityIsolation,
  };
}

/** What is one way here, whatever is asked for. */
const SETTLED = {
  configMapAndSecretChangeDetectionStrategy: 'Watch',
  containerLogMaxWorkers: 1,
  cpuManagerPolicy: 'none',
  enableControllerAttachDetach: true,
  memoryManagerPolicy: 'None',
  topologyManagerPolicy: 'none',
  topologyManagerScope: 'container',
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
} as const;
