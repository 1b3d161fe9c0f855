import type { ManagerConfig } from '@coxswain/controller';

/** The manager's options, by upstream's flag names. Seconds unless said otherwise. */
export interface ControllerManagerConfig extends ManagerConfig {
  readonly clusterName: string;
  /** `--allocate-node-cidrs` with `--cluster-cidr`; empty: nodes get no pod CIDR. One per IP family. */
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidrs: readonly string[];
  readonly nodeCidrMaskSizeIPv4: number;
  readonly nodeCidrMaskSizeIPv6: number;
  /** `--service-cluster-ip-range`: no node gets a part of these. */
  readonly serviceClusterIPRanges: readonly string[];
  readonly nodeMonitorGracePeriod: number;
  readonly nodeMonitorPeriod: number;
  readonly terminatedPodGCThreshold: number;
  readonly hpaSyncPeriod: number;
  /** How far a metric may be from its target, as a share of it, where an autoscaler does not say. */
  readonly hpaTolerance: number;
  readonly hpaDownscaleStabilization: number;
  readonly hpaCpuInitializationPeriod: number;
  readonly hpaInitialReadinessDelay: number;
  /** PEM of the CA that pods check the API server with (`--root-ca-file`). */
  readonly rootCa: string;
  /** PEM; absent: no legacy service account tokens are signed. */
  readonly serviceAccountPrivateKey?: string;
  readonly serviceAccountIssuer: string;
  /** CA for certificate signing requests (`--cluster-signing-cert-file`, `-key-file`); absent: they are not signed. */
  readonly clusterSigning?: { readonly cert: string; readonly key: string };
  readonly clusterSigningDuration: number;
}

export const CONTROLLER_MANAGER_PORT = 10257;

export const defaultControllerManagerConfig: ControllerManagerConfig = Object.freeze({
  controllers: ['*'],
  clusterName: 'kubernetes',
  allocateNodeCidrs: false,
  clusterCidrs: [],
  nodeCidrMaskSizeIPv4: 24,
  nodeCidrMaskSizeIPv6: 64,
  serviceClusterIPRanges: [],
  nodeMonitorGracePeriod: 50,
  nodeMonitorPeriod: 5,
  terminatedPodGCThreshold: 12_500,
  hpaSyncPeriod: 15,
  hpaTolerance: 0.1,
  hpaDownscaleStabilization: 300,
  hpaCpuInitializationPeriod: 300,
  hpaInitialReadinessDelay: 30,
  rootCa: '',
  serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
  clusterSigningDuration: 365 * 24 * 3600,
  leaderElection: undefined,
  serving: undefined,
});
