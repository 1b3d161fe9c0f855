import type { SchedulerPlugin } from '@coxswain/sdk';
import type { FitArgs } from '../plugins/node-resources-fit.js';
import { defaultFitArgs } from '../plugins/node-resources-fit.js';

/** One `schedulerName` (KubeSchedulerConfiguration `profiles[]`). */
export interface ProfileConfig {
  readonly schedulerName: string;
  /** Default plugins left out, by name; `*`: all. */
  readonly disabled: readonly string[];
  /** Weights of score plugins, by name. */
  readonly weights: Readonly<Record<string, number>>;
  readonly fit: FitArgs;
  /** 0: adaptive. Absent: the scheduler's. */
  readonly percentageOfNodesToScore?: number;
}

export interface SchedulerConfig {
  readonly profiles: readonly ProfileConfig[];
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffSeconds: number;
  readonly podMaxBackoffSeconds: number;
  readonly podMaxInUnschedulablePodsDurationSeconds: number;
  readonly leaderElection: LeaderElectionConfig | undefined;
  /** Where `/healthz` and `/metrics` are served; undefined: nowhere. */
  readonly serving: ServingConfig | undefined;
}

export interface LeaderElectionConfig {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationSeconds: number;
  readonly renewDeadlineSeconds: number;
  readonly retryPeriodSeconds: number;
}

export interface ServingConfig {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';
export const SCHEDULER_PORT = 10259;

export const defaultProfile: ProfileConfig = Object.freeze({ schedulerName: DEFAULT_SCHEDULER_NAME, disabled: [], weights: {}, fit: defaultFitArgs });

export const defaultSchedulerConfig: SchedulerConfig = Object.freeze({
  profiles: [defaultProfile],
  percentageOfNodesToScore: 0,
  podInitialBackoffSeconds: 1,
  podMaxBackoffSeconds: 10,
  podMaxInUnschedulablePodsDurationSeconds: 300,
  leaderElection: undefined,
  serving: undefined,
});

/** The default plugins as a profile wants them, and the extra ones after them. An extra plugin of a default's name replaces it. */
export function selectPlugins(profile: ProfileConfig, defaults: readonly SchedulerPlugin[], extra: readonly SchedulerPlugin[]): SchedulerPlugin[] {
  const all = profile.disabled.includes('*');
  const replaced = new Set(extra.map((p) => p.name));
  // Without a sort and a bind plugin there is no scheduler: "*" leaves these unless they are replaced.
  const needed = new Set(['PrioritySort', 'DefaultBinder']);
  const kept = defaults.filter((p) => !replaced.has(p.name) && !profile.disabled.includes(p.name) && (!all || needed.has(p.name)));
  const own = extra.some((p) => p.less) ? kept.filter((p) => !p.less) : kept;
  return [...own, ...extra].map((p) => {
    const weight = profile.weights[p.name];
    return weight === undefined ? p : { ...p, weight };
  });
}
