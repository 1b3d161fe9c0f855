import { parseBoolean } from '@coxswain/apimachinery';
import { type Command, InvalidArgumentError, list, Option } from '@coxswain/command';
import { kubeletSettings, type RawConfiguration } from './kubelet-configuration.js';

/** How a flag's text becomes a field's value; a repeated flag gets what was there before. */
type Shape = (text: string, before: unknown) => unknown;

const asText: Shape = (text) => text;
const asNumber: Shape = (text) => (/^-?\d+$/.test(text.trim()) ? Number(text) : wrong('give a whole number.'));
const asBoolean: Shape = (text) => parseBoolean(text) ?? wrong('give true or false.');
const asList: Shape = (text, before) => [...((before as string[] | undefined) ?? []), ...list(text)];
const pairsBy =
  (separator: '=' | '<'): Shape =>
  (text, before) => ({
    ...(before as object | undefined),
    ...Object.fromEntries(
      list(text).map((pair) => {
        const at = pair.indexOf(separator);
        return at < 1 ? wrong(`"${pair}" is not key${separator}value.`) : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      }),
    ),
  });
const asPairs = pairsBy('=');
const asThresholds = pairsBy('<');
const asTaints: Shape = (text, before) => [
  ...((before as object[] | undefined) ?? []),
  ...list(text).map((taint) => {
    const [, key, value, effect] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(taint) ?? [];
    return key ? { key, ...(value ? { value } : {}), effect } : wrong(`"${taint}" is not key=value:effect.`);
  }),
];
const asGates: Shape = (text, before) => ({
  ...(before as object | undefined),
  ...Object.fromEntries(Object.entries(asPairs(text, {}) as Record<string, string>).map(([gate, value]) => [gate, asBoolean(value, undefined)])),
});
const asHeaders: Shape = (text, before) => {
  const headers: Record<string, string[]> = { ...(before as Record<string, string[]> | undefined) };
  for (const header of list(text)) {
    const at = header.indexOf(':');
    if (at < 1) wrong(`"${header}" is not name:value.`);
    const name = header.slice(0, at).trim();
    headers[name] = [...(headers[name] ?? []), header.slice(at + 1).trim()];
  }
  return headers;
};
const asTexts: Shape = (text, before) => [...((before as string[] | undefined) ?? []), text];

function wrong(message: string): never {
  throw new InvalidArgumentError(message);
}

/** Upstream's flags that say what a field of the KubeletConfiguration says, by flag: the field's path and the form of the flag's text. */
export const configFlags: Readonly<Record<string, readonly [path: string, shape: Shape]>> = {
  address: ['address', asText],
  'allowed-unsafe-sysctls': ['allowedUnsafeSysctls', asList],
  'anonymous-auth': ['authentication.anonymous.enabled', asBoolean],
  'authentication-token-webhook': ['authentication.webhook.enabled', asBoolean],
  'authentication-token-webhook-cache-ttl': ['authentication.webhook.cacheTTL', asText],
  'authorization-mode': ['authorization.mode', asText],
  'authorization-webhook-cache-authorized-ttl': ['authorization.webhook.cacheAuthorizedTTL', asText],
  'authorization-webhook-cache-unauthorized-ttl': ['authorization.webhook.cacheUnauthorizedTTL', asText],
  'cgroup-driver': ['cgroupDriver', asText],
  'cgroup-root': ['cgroupRoot', asText],
  'cgroups-per-qos': ['cgroupsPerQOS', asBoolean],
  'client-ca-file': ['authentication.x509.clientCAFile', asText],
  'cluster-dns': ['clusterDNS', asList],
  'cluster-domain': ['clusterDomain', asText],
  'container-log-max-files': ['containerLogMaxFiles', asNumber],
  'container-log-max-size': ['containerLogMaxSize', asText],
  'container-runtime-endpoint': ['containerRuntimeEndpoint', asText],
  'contention-profiling': ['enableContentionProfiling', asBoolean],
  'cpu-cfs-quota': ['cpuCFSQuota', asBoolean],
  'cpu-cfs-quota-period': ['cpuCFSQuotaPeriod', asText],
  'cpu-manager-policy': ['cpuManagerPolicy', asText],
  'cpu-manager-policy-options': ['cpuManagerPolicyOptions', asPairs],
  'cpu-manager-reconcile-period': ['cpuManagerReconcilePeriod', asText],
  'enable-controller-attach-detach': ['enableControllerAttachDetach', asBoolean],
  'enable-debugging-handlers': ['enableDebuggingHandlers', asBoolean],
  'enable-server': ['enableServer', asBoolean],
  'enforce-node-allocatable': ['enforceNodeAllocatable', asList],
  'event-burst': ['eventBurst', asNumber],
  'event-qps': ['eventRecordQPS', asNumber],
  'eviction-hard': ['evictionHard', asThresholds],
  'eviction-max-pod-grace-period': ['evictionMaxPodGracePeriod', asNumber],
  'eviction-minimum-reclaim': ['evictionMinimumReclaim', asPairs],
  'eviction-pressure-transition-period': ['evictionPressureTransitionPeriod', asText],
  'eviction-soft': ['evictionSoft', asThresholds],
  'eviction-soft-grace-period': ['evictionSoftGracePeriod', asPairs],
  'fail-cgroupv1': ['failCgroupV1', asBoolean],
  'fail-swap-on': ['failSwapOn', asBoolean],
  'feature-gates': ['featureGates', asGates],
  'file-check-frequency': ['fileCheckFrequency', asText],
  'hairpin-mode': ['hairpinMode', asText],
  'healthz-bind-address': ['healthzBindAddress', asText],
  'healthz-port': ['healthzPort', asNumber],
  'http-check-frequency': ['httpCheckFrequency', asText],
  'image-gc-high-threshold': ['imageGCHighThresholdPercent', asNumber],
  'image-gc-low-threshold': ['imageGCLowThresholdPercent', asNumber],
  'image-service-endpoint': ['imageServiceEndpoint', asText],
  'iptables-drop-bit': ['iptablesDropBit', asNumber],
  'iptables-masquerade-bit': ['iptablesMasqueradeBit', asNumber],
  'kernel-memcg-notification': ['kernelMemcgNotification', asBoolean],
  'kube-api-burst': ['kubeAPIBurst', asNumber],
  'kube-api-content-type': ['contentType', asText],
  'kube-api-qps': ['kubeAPIQPS', asNumber],
  'kube-reserved': ['kubeReserved', asPairs],
  'kube-reserved-cgroup': ['kubeReservedCgroup', asText],
  'kubelet-cgroups': ['kubeletCgroups', asText],
  'local-storage-capacity-isolation': ['localStorageCapacityIsolation', asBoolean],
  'logging-format': ['logging.format', asText],
  'log-flush-frequency': ['logging.flushFrequency', asText],
  'log-json-info-buffer-size': ['logging.options.json.infoBufferSize', asText],
  'log-json-split-stream': ['logging.options.json.splitStream', asBoolean],
  'log-text-info-buffer-size': ['logging.options.text.infoBufferSize', asText],
  'log-text-split-stream': ['logging.options.text.splitStream', asBoolean],
  'make-iptables-util-chains': ['makeIPTablesUtilChains', asBoolean],
  'manifest-url': ['staticPodURL', asText],
  'manifest-url-header': ['staticPodURLHeader', asHeaders],
  'max-open-files': ['maxOpenFiles', asNumber],
  'max-pods': ['maxPods', asNumber],
  'memory-manager-policy': ['memoryManagerPolicy', asText],
  'minimum-image-ttl-duration': ['imageMinimumGCAge', asText],
  'node-status-max-images': ['nodeStatusMaxImages', asNumber],
  'node-status-update-frequency': ['nodeStatusUpdateFrequency', asText],
  'oom-score-adj': ['oomScoreAdj', asNumber],
  'pod-cidr': ['podCIDR', asText],
  'pod-manifest-path': ['staticPodPath', asText],
  'pod-max-pids': ['podPidsLimit', asNumber],
  'pods-per-core': ['podsPerCore', asNumber],
  port: ['port', asNumber],
  'protect-kernel-defaults': ['protectKernelDefaults', asBoolean],
  'provider-id': ['providerID', asText],
  'qos-reserved': ['qosReserved', asPairs],
  'read-only-port': ['readOnlyPort', asNumber],
  'register-node': ['registerNode', asBoolean],
  'register-with-taints': ['registerWithTaints', asTaints],
  'registry-burst': ['registryBurst', asNumber],
  'registry-qps': ['registryPullQPS', asNumber],
  'reserved-cpus': ['reservedSystemCPUs', asText],
  'reserved-memory': ['reservedMemory', asTexts],
  'resolv-conf': ['resolvConf', asText],
  'rotate-certificates': ['rotateCertificates', asBoolean],
  'rotate-server-certificates': ['serverTLSBootstrap', asBoolean],
  runonce: ['runOnce', asBoolean],
  'runtime-request-timeout': ['runtimeRequestTimeout', asText],
  'seccomp-default': ['seccompDefault', asBoolean],
  'serialize-image-pulls': ['serializeImagePulls', asBoolean],
  'streaming-connection-idle-timeout': ['streamingConnectionIdleTimeout', asText],
  'sync-frequency': ['syncFrequency', asText],
  'system-cgroups': ['systemCgroups', asText],
  'system-reserved': ['systemReserved', asPairs],
  'system-reserved-cgroup': ['systemReservedCgroup', asText],
  'tls-cert-file': ['tlsCertFile', asText],
  'tls-cipher-suites': ['tlsCipherSuites', asList],
  'tls-min-version': ['tlsMinVersion', asText],
  'tls-private-key-file': ['tlsPrivateKeyFile', asText],
  'topology-manager-policy': ['topologyManagerPolicy', asText],
  'topology-manager-policy-options': ['topologyManagerPolicyOptions', asPairs],
  'topology-manager-scope': ['topologyManagerScope', asText],
  'volume-plugin-dir': ['volumePluginDir', asText],
  'volume-stats-agg-period': ['volumeStatsAggPeriod', asText],
};

/** Adds the flags. A value is checked by its field as soon as it is read. */
export function addConfigFlags(command: Command): void {
  for (const [name, [path, shape]] of Object.entries(configFlags)) {
    const on = shape === asBoolean;
    const option = new Option(`--${name} ${on ? '[boolean]' : '<value>'}`, `${path} of the configuration`)
      .argParser((text: string, before: unknown) => {
        const value = shape(text, before);
        try {
          if (!ALONE.has(name)) kubeletSettings(at(path, value));
        } catch (error) {
          wrong(`${(error as Error).message}.`);
        }
        return value;
      })
      .helpGroup('Flags that win over the configuration:');
    command.addOption(on ? option.preset('true') : option);
  }
}

/** Flags whose values depend on others: they are checked when all are known. */
const ALONE: ReadonlySet<string> = new Set(['eviction-soft', 'enforce-node-allocatable', 'image-gc-high-threshold', 'image-gc-low-threshold']);

const at = (path: string, value: unknown): RawConfiguration =>
  path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as RawConfiguration;

/** What the flags of a command line say, as a configuration over the file's; a flag's map replaces the file's, its gates are added to them. */
export function withConfigFlags(raw: RawConfiguration, command: Pick<Command, 'getOptionValueSource' | 'getOptionValue' | 'options'>): RawConfiguration {
  return command.options.reduce<RawConfiguration>((config, option) => {
    const [path] = configFlags[option.long?.slice(2) ?? ''] ?? [];
    const name = option.attributeName();
    if (path === undefined || command.getOptionValueSource(name) !== 'cli') return config;
    return set(config, path.split('.'), command.getOptionValue(name), path === 'featureGates');
  }, raw);
}

function set(config: RawConfiguration, [name = '', ...rest]: readonly string[], value: unknown, add: boolean): RawConfiguration {
  const before = config[name] as RawConfiguration | undefined;
  if (rest.length > 0) return { ...config, [name]: set(before ?? {}, rest, value, add) };
  return { ...config, [name]: add ? { ...before, ...(value as object) } : value };
}
