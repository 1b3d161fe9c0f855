import { KUBERNETES_VERSION } from '@coxswain/sdk';
import { cpus, hostname } from 'node:os';
import type { SecureVersion } from 'node:tls';
import type { VerificationMode } from './images/verification-policy.js';
import { ID_BLOCK } from './volumes/user-namespaces.js';

export interface NodeAddress {
  readonly type: 'InternalIP' | 'ExternalIP' | 'Hostname' | 'InternalDNS' | 'ExternalDNS';
  readonly address: string;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export type NodeAllocatableEnforcement = 'none' | 'pods' | 'system-reserved' | 'system-reserved-compressible' | 'kube-reserved' | 'kube-reserved-compressible';

/** Names follow upstream's flags and KubeletConfiguration where they exist. Durations end in Ms and are milliseconds. */
export interface KubeletOptions {
  readonly nodeName: string;
  /** Addresses other nodes reach this one by; the first is the node's main address. */
  readonly nodeIPs: readonly string[];
  readonly hostname: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly registerNode: boolean;
  readonly registerWithTaints: readonly Taint[];
  readonly providerID?: string;
  /** `external`: a cloud controller manager initialises the node, and knows its addresses. */
  readonly cloudProvider?: 'external';
  /** Nobody said what `nodeIPs` are: they were looked up. */
  readonly nodeIPsDetected?: boolean;
  readonly rootDir: string;
  readonly podLogsDir: string;
  readonly containerLogsDir: string;
  /** Folder of static pod manifests. */
  readonly staticPodPath?: string;
  readonly fileCheckFrequencyMs: number;
  /** Answers with a Pod or a PodList. */
  readonly staticPodURL?: string;
  readonly staticPodURLHeader: Readonly<Record<string, readonly string[]>>;
  readonly httpCheckFrequencyMs: number;
  readonly clusterDomain: string;
  readonly clusterDNS: readonly string[];
  readonly resolvConf: string;
  readonly maxPods: number;
  /** Instead of what the machine has, by resource; for nodes that are not machines. */
  readonly capacity: Readonly<Record<string, string>>;
  /** False: nothing is mounted, so no root is needed: volumes in memory are folders, sub-paths plain paths. For runtimes that simulate. */
  readonly mountVolumes: boolean;
  readonly podCIDR?: string;
  /** HTTPS API. Port 0: any free one. */
  readonly address: string;
  readonly port: number;
  /** Port without authentication that answers /healthz; 0: none. */
  readonly healthzPort: number;
  readonly healthzBindAddress: string;
  /** Port without authentication and TLS for pods, statistics and metrics; 0: none. */
  readonly readOnlyPort: number;
  readonly tlsMinVersion: SecureVersion;
  /** OpenSSL's names, joined by `:`. Absent: Node's. */
  readonly tlsCiphers?: string;
  readonly authentication: { readonly anonymous: boolean; readonly webhook: boolean /** PEM bundle. */; readonly clientCA?: string };
  readonly authorization: 'Webhook' | 'AlwaysAllow';
  /** How long answers of token and access reviews are believed. */
  readonly tokenCacheMs: number;
  readonly allowedCacheMs: number;
  readonly deniedCacheMs: number;
  /** PEM. Absent: self-signed. */
  readonly serving?: { readonly cert: string; readonly key: string };
  readonly cgroupsPerQOS: boolean;
  readonly cgroupRoot: string;
  /** What the runtime is taken to use when it does not tell itself. */
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** -1: as many as the node allows. */
  readonly podPidsLimit: number;
  readonly cpuCFSQuota: boolean;
  readonly cpuCFSQuotaPeriodMicros: number;
  readonly seccompDefault: boolean;
  /** Users a pod with a user namespace has; a multiple of 65536. */
  readonly userNamespaceIdsPerPod: number;
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  readonly systemReservedCgroup?: string;
  readonly kubeReservedCgroup?: string;
  /** Which reservations become limits of cgroups. */
  readonly enforceNodeAllocatable: readonly NodeAllocatableEnforcement[];
  readonly localStorageCapacityIsolation: boolean;
  readonly evictionHard: Readonly<Record<string, string>>;
  readonly evictionSoft: Readonly<Record<string, string>>;
  /** How long a soft threshold has to be crossed, by signal. */
  readonly evictionSoftGracePeriodMs: Readonly<Record<string, number>>;
  /** Seconds a pod gets at most to end because of a soft threshold; negative: its own. */
  readonly evictionMaxPodGracePeriodSeconds: number;
  /** How far beyond a threshold it is reclaimed, by signal. */
  readonly evictionMinimumReclaim: Readonly<Record<string, string>>;
  readonly evictionPressureTransitionPeriodMs: number;
  readonly evictionMonitorPeriodMs: number;
  readonly nodeStatusUpdateFrequencyMs: number;
  readonly nodeStatusReportFrequencyMs: number;
  readonly nodeLeaseDurationSeconds: number;
  readonly runtimeStatusPeriodMs: number;
  readonly containerLogMaxSizeBytes: number;
  readonly containerLogMaxFiles: number;
  readonly containerLogMonitorIntervalMs: number;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAgeMs: number;
  /** Images unused for so long go; 0: none goes for its age. */
  readonly imageMaximumGCAgeMs: number;
  readonly nodeStatusMaxImages: number;
  /** Absent: no limit. */
  readonly maxParallelImagePulls?: number;
  /** Pulls a second, after a burst; 0: no limit. */
  readonly registryPullQPS: number;
  readonly registryBurst: number;
  /** Events a second, after a burst; 0: no limit. */
  readonly eventRecordQPS: number;
  readonly eventBurst: number;
  readonly imageGCPeriodMs: number;
  readonly crashLoopBackOff: { readonly initialMs: number; readonly maxMs: number };
  readonly imagePullBackOff: { readonly initialMs: number; readonly maxMs: number };
  readonly syncRetryMs: number;
  /** Each pod is looked at again after so long (up to half as much more), also when nothing told of a change. */
  readonly syncFrequencyMs: number;
  readonly statusSettleMs: number;
  /** Sandboxes and containers being made at a time. */
  readonly maxParallelStarts: number;
  readonly relistMs: number;
  readonly relistWithEventsMs: number;
  readonly housekeepingMs: number;
  readonly enableDebuggingHandlers: boolean;
  /** Whether /debug/pprof serves profiles, with `enableDebuggingHandlers`. */
  readonly enableProfilingHandler: boolean;
  /** Whether /debug/flags/v sets how much is logged, with `enableDebuggingHandlers`. */
  readonly enableDebugFlagsHandler: boolean;
  /** Whether /logs serves files. */
  readonly enableSystemLogHandler: boolean;
  /** Exec, attach and port-forward connections that are silent for so long are closed; 0: none is. */
  readonly streamingConnectionIdleTimeoutMs: number;
  readonly allowedUnsafeSysctls: readonly string[];
  /** For which images that are on the node a pod has to show credentials. */
  readonly imagePullCredentialsVerificationPolicy: VerificationMode;
  /** Images that every pod may use, with `NeverVerifyAllowlistedImages`. */
  readonly preloadedImagesVerificationAllowlist: readonly string[];
  /** Reported as nodeInfo.kubeletVersion. */
  readonly version: string;
}

export type KubeletConfig = Partial<KubeletOptions>;

const MINUTE = 60_000;

/** Fills in upstream's defaults. */
export function kubeletOptions(config: KubeletConfig = {}): KubeletOptions {
  const name = (config.nodeName ?? hostname()).toLowerCase();
  return {
    nodeIPs: [],
    hostname: name,
    nodeLabels: {},
    registerNode: true,
    registerWithTaints: [],
    rootDir: '/var/lib/kubelet',
    podLogsDir: '/var/log/pods',
    containerLogsDir: '/var/log/containers',
    fileCheckFrequencyMs: 20_000,
    staticPodURLHeader: {},
    httpCheckFrequencyMs: 20_000,
    clusterDomain: 'cluster.local',
    clusterDNS: [],
    resolvConf: '/etc/resolv.conf',
    maxPods: 110,
    capacity: {},
    mountVolumes: true,
    address: '0.0.0.0',
    port: 10_250,
    healthzPort: 0,
    healthzBindAddress: '127.0.0.1',
    readOnlyPort: 0,
    tlsMinVersion: 'TLSv1.2',
    authentication: { anonymous: false, webhook: true },
    authorization: 'Webhook',
    tokenCacheMs: 2 * MINUTE,
    allowedCacheMs: 5 * MINUTE,
    deniedCacheMs: 30_000,
    cgroupsPerQOS: true,
    cgroupRoot: '/',
    cgroupDriver: 'cgroupfs',
    podPidsLimit: -1,
    cpuCFSQuota: true,
    cpuCFSQuotaPeriodMicros: 100_000,
    seccompDefault: false,
    userNamespaceIdsPerPod: ID_BLOCK,
    systemReserved: {},
    kubeReserved: {},
    enforceNodeAllocatable: ['pods'],
    localStorageCapacityIsolation: true,
    evictionSoft: {},
    evictionSoftGracePeriodMs: {},
    evictionMaxPodGracePeriodSeconds: 0,
    evictionMinimumReclaim: {},
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%' },
    evictionPressureTransitionPeriodMs: 5 * MINUTE,
    evictionMonitorPeriodMs: 10_000,
    nodeStatusUpdateFrequencyMs: 10_000,
    nodeStatusReportFrequencyMs: 5 * MINUTE,
    nodeLeaseDurationSeconds: 40,
    runtimeStatusPeriodMs: 5000,
    containerLogMaxSizeBytes: 10 * 1024 * 1024,
    containerLogMaxFiles: 5,
    containerLogMonitorIntervalMs: 10_000,
    imageGCHighThresholdPercent: 85,
    imageGCLowThresholdPercent: 80,
    imageMinimumGCAgeMs: 2 * MINUTE,
    imageMaximumGCAgeMs: 0,
    nodeStatusMaxImages: 50,
    registryPullQPS: 0,
    registryBurst: 10,
    eventRecordQPS: 0,
    eventBurst: 100,
    imageGCPeriodMs: 5 * MINUTE,
    crashLoopBackOff: { initialMs: 10_000, maxMs: 5 * MINUTE },
    imagePullBackOff: { initialMs: 10_000, maxMs: 5 * MINUTE },
    syncRetryMs: 10_000,
    syncFrequencyMs: MINUTE,
    statusSettleMs: 800,
    maxParallelStarts: Math.max(4, 2 * cpus().length),
    relistMs: 1000,
    relistWithEventsMs: 5 * MINUTE,
    housekeepingMs: MINUTE,
    enableDebuggingHandlers: true,
    enableProfilingHandler: true,
    enableDebugFlagsHandler: true,
    enableSystemLogHandler: true,
    streamingConnectionIdleTimeoutMs: 4 * 60 * MINUTE,
    allowedUnsafeSysctls: [],
    imagePullCredentialsVerificationPolicy: 'NeverVerifyPreloadedImages',
    preloadedImagesVerificationAllowlist: [],
    version: KUBERNETES_VERSION,
    ...config,
    nodeName: name,
  };
}
