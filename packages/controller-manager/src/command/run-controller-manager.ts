import { type ClientFlags, CliError, type LeaderElectionFlags, list, type LogLevel, readFlagFile, type ServingFlags } from '@coxswain/command';
import { componentServing, createLogger, leaderElection, only, requestLimit, runComponents, transportOptions } from '@coxswain/command/run';
import { managerClients } from '@coxswain/controller';
import { KUBERNETES_VERSION, systemClock, systemRandom } from '@coxswain/sdk';
import { ControllerManager, type ControllerManagerConfig, defaultControllerManagerConfig } from '../index.js';
import { concurrencyOf } from './concurrency-flags.js';

const NAME = 'kube-controller-manager';

export interface ControllerManagerFlags extends ClientFlags, LeaderElectionFlags, ServingFlags {
  readonly controllers: readonly string[];
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr?: string;
  readonly nodeCidrMaskSize?: number;
  readonly nodeCidrMaskSizeIpv4?: number;
  readonly nodeCidrMaskSizeIpv6?: number;
  readonly serviceClusterIpRange?: string;
  readonly clusterName: string;
  readonly useServiceAccountCredentials: boolean;
  readonly rootCaFile?: string;
  readonly serviceAccountPrivateKeyFile?: string;
  readonly clusterSigningCertFile?: string;
  readonly clusterSigningKeyFile?: string;
  readonly clusterSigningDuration: number;
  readonly nodeMonitorGracePeriod: number;
  readonly nodeMonitorPeriod: number;
  readonly terminatedPodGcThreshold: number;
  readonly horizontalPodAutoscalerSyncPeriod: number;
  readonly horizontalPodAutoscalerTolerance: number;
  readonly horizontalPodAutoscalerDownscaleStabilization: number;
  readonly horizontalPodAutoscalerCpuInitializationPeriod: number;
  readonly horizontalPodAutoscalerInitialReadinessDelay: number;
  readonly logLevel: LogLevel;
}

export async function runControllerManager(flags: ControllerManagerFlags): Promise<void> {
  const config = { ...controllerManagerConfig(flags), serving: await componentServing(flags, NAME) };
  const { client, clientFor } = managerClients(transportOptions(flags), `${NAME}/${KUBERNETES_VERSION}`, systemClock, requestLimit(flags));
  return runComponents(NAME, flags.logLevel, [
    only(
      () =>
        new ControllerManager({
          client,
          ...(flags.useServiceAccountCredentials ? { clientFor } : {}),
          clock: systemClock,
          random: systemRandom,
          logger: createLogger(flags.logLevel, NAME),
          config,
        }),
    ),
  ]);
}

/** What flags say, but of the server. Throws `CliError`. */
export function controllerManagerConfig(flags: ControllerManagerFlags): ControllerManagerConfig {
  const clusterCidrs = list(flags.clusterCidr ?? '');
  return {
    ...defaultControllerManagerConfig,
    controllers: flags.controllers,
    concurrency: concurrencyOf(flags as unknown as Readonly<Record<string, unknown>>),
    clusterName: flags.clusterName,
    allocateNodeCidrs: flags.allocateNodeCidrs,
    clusterCidrs,
    ...maskSizes(flags, clusterCidrs),
    serviceClusterIPRanges: list(flags.serviceClusterIpRange ?? ''),
    nodeMonitorGracePeriod: flags.nodeMonitorGracePeriod,
    nodeMonitorPeriod: flags.nodeMonitorPeriod,
    terminatedPodGCThreshold: flags.terminatedPodGcThreshold,
    hpaSyncPeriod: flags.horizontalPodAutoscalerSyncPeriod,
    hpaTolerance: flags.horizontalPodAutoscalerTolerance,
    hpaDownscaleStabilization: flags.horizontalPodAutoscalerDownscaleStabilization,
    hpaCpuInitializationPeriod: flags.horizontalPodAutoscalerCpuInitializationPeriod,
    hpaInitialReadinessDelay: flags.horizontalPodAutoscalerInitialReadinessDelay,
    clusterSigningDuration: flags.clusterSigningDuration,
    leaderElection: leaderElection(flags),
    ...(flags.rootCaFile ? { rootCa: readFlagFile('--root-ca-file', flags.rootCaFile) } : {}),
    ...(flags.serviceAccountPrivateKeyFile
      ? { serviceAccountPrivateKey: readFlagFile('--service-account-private-key-file', flags.serviceAccountPrivateKeyFile) }
      : {}),
    ...clusterSigning(flags),
  };
}

/** As upstream: one size for a cluster of one family, or one for each. */
function maskSizes({ nodeCidrMaskSize: one, nodeCidrMaskSizeIpv4: v4, nodeCidrMaskSizeIpv6: v6 }: ControllerManagerFlags, cidrs: readonly string[]) {
  const families = new Set(cidrs.map((c) => c.includes(':')));
  if (one !== undefined && families.size > 1)
    throw new CliError('--node-cidr-mask-size is for clusters of one family', 'give --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6', 2);
  if (one !== undefined && (v4 !== undefined || v6 !== undefined))
    throw new CliError('--node-cidr-mask-size goes with neither --node-cidr-mask-size-ipv4 nor --node-cidr-mask-size-ipv6', undefined, 2);
  const ipv4 = v4 ?? (families.has(true) ? undefined : one);
  const ipv6 = v6 ?? (families.has(true) ? one : undefined);
  for (const cidr of cidrs) {
    const [size, flag] = cidr.includes(':') ? [ipv6 ?? 64, 'ipv6'] : [ipv4 ?? 24, 'ipv4'];
    const [, prefix] = cidr.split('/');
    const bits = cidr.includes(':') ? 128 : 32;
    if (size > bits || size < Number(prefix))
      throw new CliError(`--node-cidr-mask-size-${flag}: ${size} does not fit into --cluster-cidr ${cidr}`, `give ${prefix} to ${bits}`, 2);
  }
  return {
    nodeCidrMaskSizeIPv4: ipv4 ?? defaultControllerManagerConfig.nodeCidrMaskSizeIPv4,
    nodeCidrMaskSizeIPv6: ipv6 ?? defaultControllerManagerConfig.nodeCidrMaskSizeIPv6,
  };
}

/** Empty files, as kubeadm says them with an external CA: nothing is signed. */
function clusterSigning({ clusterSigningCertFile: cert, clusterSigningKeyFile: key }: ControllerManagerFlags): Pick<ControllerManagerConfig, 'clusterSigning'> {
  if (!cert && !key) return {};
  if (!cert || !key) throw new CliError('--cluster-signing-cert-file and --cluster-signing-key-file go together', undefined, 2);
  return { clusterSigning: { cert: readFlagFile('--cluster-signing-cert-file', cert), key: readFlagFile('--cluster-signing-key-file', key) } };
}
