import { parseDuration } from '@coxswain/apimachinery';
import { defaultFitArgs, type FitArgs } from '../plugins/node-resources-fit.js';
import { defaultProfile, defaultSchedulerConfig, type ProfileConfig, type SchedulerConfig } from './scheduler-config.js';

type Doc = Readonly<Record<string, unknown>>;

/** A KubeSchedulerConfiguration that cannot be used; `problems` lists everything wrong with it. */
export class SchedulerConfigError extends Error {
  override readonly name = 'SchedulerConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`invalid KubeSchedulerConfiguration: ${problems.join('; ')}`);
  }
}

/** Read a `kubescheduler.config.k8s.io/v1` document (already parsed from YAML or JSON). Throws `SchedulerConfigError`. */
export function parseSchedulerConfig(document: unknown): SchedulerConfig {
  const problems: string[] = [];
  const doc = (document ?? {}) as Doc;
  if (doc.kind !== 'KubeSchedulerConfiguration') problems.push(`kind: must be KubeSchedulerConfiguration, got ${JSON.stringify(doc.kind)}`);
  if (doc.apiVersion !== 'kubescheduler.config.k8s.io/v1')
    problems.push(`apiVersion: must be kubescheduler.config.k8s.io/v1, got ${JSON.stringify(doc.apiVersion)}`);
  const known = [
    'apiVersion',
    'kind',
    'profiles',
    'percentageOfNodesToScore',
    'podInitialBackoffSeconds',
    'podMaxBackoffSeconds',
    'leaderElection',
    'clientConnection',
    'parallelism',
    'enableProfiling',
    'enableContentionProfiling',
  ];
  for (const key of Object.keys(doc)) if (!known.includes(key)) problems.push(`${key}: unknown or not supported`);
  const number = (at: Doc, key: string, path: string, fallback: number, min: number, max = Number.MAX_SAFE_INTEGER): number => {
    const v = at[key];
    if (v === undefined) return fallback;
    if (typeof v === 'number' && Number.isInteger(v) && v >= min && v <= max) return v;
    problems.push(`${path}${key}: must be an integer of at least ${min}, got ${JSON.stringify(v)}`);
    return fallback;
  };
  const profiles = (Array.isArray(doc.profiles) ? (doc.profiles as Doc[]) : []).map((p, i) => profile(p, `profiles[${i}].`, problems, number));
  const names = profiles.map((p) => p.schedulerName);
  for (const name of new Set(names)) if (names.filter((n) => n === name).length > 1) problems.push(`profiles: schedulerName ${name} is there twice`);
  const config: SchedulerConfig = {
    ...defaultSchedulerConfig,
    profiles: profiles.length > 0 ? profiles : [defaultProfile],
    percentageOfNodesToScore: number(doc, 'percentageOfNodesToScore', '', 0, 0, 100),
    podInitialBackoffSeconds: number(doc, 'podInitialBackoffSeconds', '', 1, 1),
    podMaxBackoffSeconds: number(doc, 'podMaxBackoffSeconds', '', 10, 1),
    leaderElection: leaderElection(doc.leaderElection as Doc | undefined, problems),
  };
  if (config.podMaxBackoffSeconds < config.podInitialBackoffSeconds)
    problems.push('podMaxBackoffSeconds: must be greater than or equal to podInitialBackoffSeconds');
  if (problems.length > 0) throw new SchedulerConfigError(problems);
  return config;
}

type ReadNumber = (at: Doc, key: string, path: string, fallback: number, min: number, max?: number) => number;

function profile(doc: Doc, path: string, problems: string[], number: ReadNumber): ProfileConfig {
  const plugins = (doc.plugins ?? {}) as Readonly<Record<string, { enabled?: { name: string; weight?: number }[]; disabled?: { name: string }[] }>>;
  const disabled = new Set<string>();
  const weights: Record<string, number> = {};
  for (const [point, set] of Object.entries(plugins)) {
    for (const d of set.disabled ?? []) {
      if (point === 'multiPoint' || d.name !== '*') disabled.add(d.name);
      else problems.push(`${path}plugins.${point}.disabled: "*" is supported for multiPoint only`);
    }
    for (const e of set.enabled ?? []) {
      disabled.delete(e.name);
      if (e.weight !== undefined) weights[e.name] = e.weight;
    }
  }
  let fit = defaultFitArgs;
  for (const c of (doc.pluginConfig as
    | { name: string; args?: { scoringStrategy?: { type?: string; resources?: { name: string; weight?: number }[] } } }[]
    | undefined) ?? []) {
    const strategy = c.args?.scoringStrategy;
    if (c.name !== 'NodeResourcesFit' || !strategy) continue;
    if (strategy.type !== undefined && strategy.type !== 'LeastAllocated' && strategy.type !== 'MostAllocated') {
      problems.push(
        `${path}pluginConfig[NodeResourcesFit].args.scoringStrategy.type: must be LeastAllocated or MostAllocated, got ${JSON.stringify(strategy.type)}`,
      );
    }
    fit = {
      strategy: (strategy.type as FitArgs['strategy'] | undefined) ?? 'LeastAllocated',
      resources: strategy.resources?.map((r) => ({ name: r.name, weight: r.weight ?? 1 })) ?? defaultFitArgs.resources,
    };
  }
  const base = { schedulerName: (doc.schedulerName as string | undefined) ?? defaultProfile.schedulerName, disabled: [...disabled], weights, fit };
  return doc.percentageOfNodesToScore === undefined ? base : { ...base, percentageOfNodesToScore: number(doc, 'percentageOfNodesToScore', path, 0, 0, 100) };
}

function leaderElection(doc: Doc | undefined, problems: string[]): SchedulerConfig['leaderElection'] {
  if (!doc || doc.leaderElect === false) return undefined;
  const seconds = (key: string, fallback: number): number => {
    const v = doc[key];
    if (v === undefined) return fallback;
    const ms = parseDuration(String(v));
    if (ms !== undefined && ms > 0) return ms / 1000;
    problems.push(`leaderElection.${key}: must be a duration, got ${JSON.stringify(v)}`);
    return fallback;
  };
  return {
    namespace: (doc.resourceNamespace as string | undefined) ?? 'kube-system',
    name: (doc.resourceName as string | undefined) ?? 'kube-scheduler',
    identity: '',
    leaseDurationSeconds: seconds('leaseDuration', 15),
    renewDeadlineSeconds: seconds('renewDeadline', 10),
    retryPeriodSeconds: seconds('retryPeriod', 2),
  };
}
