import { KUBERNETES_VERSION, type LogLevel, readFlagFile } from '@coxswain/command';
import { createLogger, leaderElection, only, runComponents } from '@coxswain/command/run';
import { managerClients } from '@coxswain/controller';
import { ControllerManager, type ControllerManagerConfig } from '../index.js';
import { systemClock, systemRandom } from '@coxswain/sdk';

const USER_AGENT = `kube-controller-manager/${KUBERNETES_VERSION}`;

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
  readonly useServiceAccountCredentials: boolean;
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
  const { client, clientFor } = managerClients(flags.kubeconfig, USER_AGENT, systemClock);
  return runComponents('kube-controller-manager', flags.logLevel, [
    only(
      () =>
        new ControllerManager({
          client,
          ...(flags.useServiceAccountCredentials ? { clientFor } : {}),
          clock: systemClock,
          random: systemRandom,
          logger: createLogger(flags.logLevel, 'kube-controller-manager'),
          config,
        }),
    ),
  ]);
}
