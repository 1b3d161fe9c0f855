import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import { ControllerManager, type ControllerManagerConfig } from '@coxswain/controller-manager';
import { systemClock, systemRandom } from '@coxswain/sdk';
import { createLogger, type LogLevel } from '../../logger.js';
import { leaderElection } from './leader-election.js';
import { readFlagFile } from './read-file.js';
import { only, runComponents } from './run-component.js';

export interface ControllerManagerFlags {
  readonly kubeconfig: string;
  readonly leaderElect: boolean;
  readonly bindAddress: string;
  readonly securePort: number;
  readonly controllers: string;
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr?: string;
  readonly clusterName: string;
  readonly rootCaFile?: string;
  readonly serviceAccountPrivateKeyFile?: string;
  readonly clusterSigningCertFile?: string;
  readonly clusterSigningKeyFile?: string;
  readonly nodeMonitorGracePeriod: number;
  readonly logLevel: LogLevel;
}

export function runControllerManager(flags: ControllerManagerFlags): Promise<void> {
  const config: Partial<ControllerManagerConfig> = {
    controllers: flags.controllers.split(','),
    clusterName: flags.clusterName,
    allocateNodeCidrs: flags.allocateNodeCidrs,
    clusterCidrs: flags.clusterCidr === undefined ? [] : flags.clusterCidr.split(','),
    nodeMonitorGracePeriod: flags.nodeMonitorGracePeriod,
    leaderElection: flags.leaderElect ? leaderElection('kube-controller-manager') : undefined,
    serving: flags.securePort === 0 ? undefined : { bindAddress: flags.bindAddress, securePort: flags.securePort },
    ...(flags.rootCaFile === undefined ? {} : { rootCa: readFlagFile('--root-ca-file', flags.rootCaFile) }),
    ...(flags.serviceAccountPrivateKeyFile === undefined
      ? {}
      : { serviceAccountPrivateKey: readFlagFile('--service-account-private-key-file', flags.serviceAccountPrivateKeyFile) }),
    ...(flags.clusterSigningCertFile === undefined || flags.clusterSigningKeyFile === undefined
      ? {}
      : {
          clusterSigning: {
            cert: readFlagFile('--cluster-signing-cert-file', flags.clusterSigningCertFile),
            key: readFlagFile('--cluster-signing-key-file', flags.clusterSigningKeyFile),
          },
        }),
  };
  return runComponents('kube-controller-manager', flags.logLevel, [
    only(
      () =>
        new ControllerManager({
          client: new KubeClient({ transport: transportFromKubeconfig({ path: flags.kubeconfig }), userAgent: 'kube-controller-manager/v1.36.0' }),
          clock: systemClock,
          random: systemRandom,
          logger: createLogger(flags.logLevel, 'kube-controller-manager'),
          config,
        }),
    ),
  ]);
}
