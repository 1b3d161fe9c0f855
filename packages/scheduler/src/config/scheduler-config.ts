import type { ComponentServing } from '@coxswain/sdk';
import type { ExtenderConfig } from '../extenders/extender-config.js';
import { defaultPluginArgs, type PluginArgs } from '../plugins/plugin-args.js';
import type { PluginSets } from './plugin-sets.js';

/** One `schedulerName` (KubeSchedulerConfiguration `profiles[]`). */
export interface ProfileConfig {
  readonly schedulerName: string;
  readonly plugins: PluginSets;
  readonly args: PluginArgs;
  /** 0: adaptive. Absent: the scheduler's. */
  readonly percentageOfNodesToScore?: number;
}

export interface SchedulerConfig {
  readonly profiles: readonly ProfileConfig[];
  /** In the order they are asked in. */
  readonly extenders: readonly ExtenderConfig[];
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffSeconds: number;
  readonly podMaxBackoffSeconds: number;
  readonly podMaxInUnschedulablePodsDurationSeconds: number;
  readonly leaderElection: LeaderElectionConfig | undefined;
  /** Where `/healthz` and `/metrics` are served; undefined: nowhere. */
  readonly serving: ComponentServing | undefined;
}

export interface LeaderElectionConfig {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationSeconds: number;
  readonly renewDeadlineSeconds: number;
  readonly retryPeriodSeconds: number;
}

/** How the scheduler reaches the API server (`clientConnection`). */
export interface ClientConnection {
  readonly kubeconfig?: string;
  /** So many requests a second, after a burst. Absent: no limit; the API server's priority and fairness has the say. */
  readonly limit?: { readonly qps: number; readonly burst: number };
}

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';
export const SCHEDULER_PORT = 10259;

export const defaultProfile: ProfileConfig = Object.freeze({ schedulerName: DEFAULT_SCHEDULER_NAME, plugins: {}, args: defaultPluginArgs });

export const defaultSchedulerConfig: SchedulerConfig = Object.freeze({
  profiles: [defaultProfile],
  extenders: [],
  percentageOfNodesToScore: 0,
  podInitialBackoffSeconds: 1,
  podMaxBackoffSeconds: 10,
  podMaxInUnschedulablePodsDurationSeconds: 300,
  leaderElection: undefined,
  serving: undefined,
});
