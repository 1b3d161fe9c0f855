import type { ManagerConfig } from '@coxswain/controller';

/** The manager's options, by upstream's flag names. Seconds unless said otherwise. */
export interface CloudControllerManagerConfig extends ManagerConfig {
  readonly clusterName: string;
  /** `--cluster-cidr`: only routes within these are this cluster's. One per IP family. */
  readonly clusterCidrs: readonly string[];
  /** Both must be on for the route controller to run. */
  readonly allocateNodeCidrs: boolean;
  readonly configureCloudRoutes: boolean;
  /** How often a node that is not ready is asked after in the cloud. */
  readonly nodeMonitorPeriod: number;
  /** How often a node's addresses and labels are brought up to date. */
  readonly nodeStatusUpdateFrequency: number;
  readonly routeReconciliationPeriod: number;
  readonly concurrentServiceSyncs: number;
}

export const CLOUD_CONTROLLER_MANAGER_PORT = 10258;

export const defaultCloudControllerManagerConfig: CloudControllerManagerConfig = Object.freeze({
  controllers: ['*'],
  clusterName: 'kubernetes',
  clusterCidrs: [],
  allocateNodeCidrs: false,
  configureCloudRoutes: true,
  nodeMonitorPeriod: 5,
  nodeStatusUpdateFrequency: 300,
  routeReconciliationPeriod: 10,
  concurrentServiceSyncs: 1,
  leaderElection: undefined,
  serving: undefined,
});
