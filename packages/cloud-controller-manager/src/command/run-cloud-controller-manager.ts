import { type ClientFlags, type LeaderElectionFlags, list, type LogLevel, type ServingFlags } from '@coxswain/command';
import { componentServing, createLogger, leaderElection, requestLimit, runComponents, transportOptions } from '@coxswain/command/run';
import { CloudControllerManager, type CloudControllerManagerConfig } from '../index.js';
import { managerClients } from '@coxswain/controller';
import { component } from '@coxswain/host';
import { KUBERNETES_VERSION, CloudProvider, systemClock, systemRandom } from '@coxswain/sdk';
import { loadCloud } from './load-cloud.js';

const NAME = 'cloud-controller-manager';
const USER_AGENT = `${NAME}/${KUBERNETES_VERSION}`;

export interface CloudControllerManagerFlags extends ClientFlags, LeaderElectionFlags, ServingFlags {
  readonly cloudProvider: string;
  readonly cloudConfig?: string;
  readonly controllers: readonly string[];
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr?: string;
  readonly clusterName: string;
  readonly configureCloudRoutes: boolean;
  readonly concurrentServiceSyncs: number;
  readonly concurrentNodeSyncs: number;
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
    controllers: flags.controllers,
    concurrency: { 'cloud-node-controller': Math.max(1, flags.concurrentNodeSyncs) },
    clusterName,
    allocateNodeCidrs,
    configureCloudRoutes,
    concurrentServiceSyncs,
    nodeMonitorPeriod,
    nodeStatusUpdateFrequency,
    routeReconciliationPeriod,
    clusterCidrs: list(flags.clusterCidr ?? ''),
    leaderElection: leaderElection(flags),
    serving: await componentServing(flags, NAME),
  };
  const { client, clientFor } = managerClients(transportOptions(flags), USER_AGENT, systemClock, requestLimit(flags));
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
