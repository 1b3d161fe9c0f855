import { KUBERNETES_VERSION, type LogLevel } from '@coxswain/command';
import { createLogger, leaderElection, runComponents } from '@coxswain/command/run';
import { CloudControllerManager, type CloudControllerManagerConfig } from '../index.js';
import { managerClients } from '@coxswain/controller';
import { component } from '@coxswain/host';
import { CloudProvider, systemClock, systemRandom } from '@coxswain/sdk';
import { loadCloud } from './load-cloud.js';

const NAME = 'cloud-controller-manager';
const USER_AGENT = `${NAME}/${KUBERNETES_VERSION}`;

export interface CloudControllerManagerFlags {
  readonly kubeconfig: string;
  readonly cloudProvider: string;
  readonly cloudConfig?: string;
  readonly leaderElect: boolean;
  readonly bindAddress: string;
  readonly securePort: number;
  readonly controllers: string;
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr?: string;
  readonly clusterName: string;
  readonly configureCloudRoutes: boolean;
  readonly concurrentServiceSyncs: number;
  readonly nodeMonitorPeriod: number;
  readonly nodeStatusUpdateFrequency: number;
  readonly routeReconciliationPeriod: number;
  readonly useServiceAccountCredentials: boolean;
  readonly logLevel: LogLevel;
}

export async function runCloudControllerManager(flags: CloudControllerManagerFlags): Promise<void> {
  const { clusterName, allocateNodeCidrs, configureCloudRoutes, concurrentServiceSyncs } = flags;
  const { nodeMonitorPeriod, nodeStatusUpdateFrequency, routeReconciliationPeriod } = flags;
  const config: Partial<CloudControllerManagerConfig> = {
    controllers: flags.controllers.split(','),
    clusterName,
    allocateNodeCidrs,
    configureCloudRoutes,
    concurrentServiceSyncs,
    nodeMonitorPeriod,
    nodeStatusUpdateFrequency,
    routeReconciliationPeriod,
    clusterCidrs: flags.clusterCidr === undefined ? [] : flags.clusterCidr.split(','),
    leaderElection: flags.leaderElect ? leaderElection(NAME) : undefined,
    serving: flags.securePort === 0 ? undefined : { bindAddress: flags.bindAddress, securePort: flags.securePort },
  };
  const { client, clientFor } = managerClients(flags.kubeconfig, USER_AGENT, systemClock);
  const manager = component(
    NAME,
    [CloudProvider],
    (cloud) =>
      new CloudControllerManager({
        cloud,
        client,
        ...(flags.useServiceAccountCredentials ? { clientFor } : {}),
        clock: systemClock,
        random: systemRandom,
        logger: createLogger(flags.logLevel, NAME),
        config,
      }),
  );
  await runComponents(NAME, flags.logLevel, [manager], [await loadCloud(flags.cloudProvider, flags.cloudConfig)]);
}
