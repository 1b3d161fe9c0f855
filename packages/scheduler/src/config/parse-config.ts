import { parseDuration } from '@coxswain/apimachinery';
import { type ConfigObject, ConfigReader } from '@coxswain/sdk';
import type { ExtenderConfig } from '../extenders/extender-config.js';
import { parsePluginArgs } from './parse-plugin-args.js';
import { parseExtenders } from './parse-extenders.js';
import { extensionPoints, type PluginSet, type PluginSets } from './plugin-sets.js';
import { defaultProfile, defaultSchedulerConfig, type ClientConnection, type ProfileConfig, type SchedulerConfig } from './scheduler-config.js';

/** A KubeSchedulerConfiguration that cannot be used; `problems` lists everything wrong with it. */
export class SchedulerConfigError extends Error {
  override readonly name = 'SchedulerConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`invalid KubeSchedulerConfiguration: ${problems.join('; ')}`);
  }
}

/** What a file says: of the scheduler, and of its connection to the API server, which is made before it. */
export interface ParsedSchedulerConfig {
  readonly config: SchedulerConfig;
  readonly clientConnection: ClientConnection;
  /** Whether profiles of the process are served. */
  readonly profiling: boolean;
}

const VERSION = 'kubescheduler.config.k8s.io/v1';

const fields = [
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
  'delayCacheUntilActive',
  'extenders',
];

/** Read a `kubescheduler.config.k8s.io/v1` document (already parsed from YAML or JSON). Throws `SchedulerConfigError`. */
export function parseSchedulerConfig(document: unknown): ParsedSchedulerConfig {
  const read = new ConfigReader();
  const { kind, apiVersion } = (document ?? {}) as ConfigObject;
  if (kind !== 'KubeSchedulerConfiguration' || apiVersion !== VERSION)
    throw new SchedulerConfigError([`it is a ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}, not a KubeSchedulerConfiguration of ${VERSION}`]);
  const doc = read.object(document, '', fields);
  read.integer(doc['parallelism'], 'parallelism', 16, 1);
  const profiling = read.boolean(doc['enableProfiling'], 'enableProfiling', true);
  read.settled(doc['enableContentionProfiling'], 'enableContentionProfiling', [false, true], 'there are no locks to profile');
  read.settled(doc['delayCacheUntilActive'], 'delayCacheUntilActive', [false], 'caches are filled while another leads');
  const extenders = parseExtenders(read, doc['extenders']);
  const own = read.list(doc['profiles'], 'profiles').map((p, i) => profile(read, p, `profiles[${i}]`));
  const profiles = leaveToExtenders(own.length > 0 ? own : [defaultProfile], extenders);
  const names = profiles.map((p) => p.schedulerName);
  for (const name of new Set(names)) if (names.filter((n) => n === name).length > 1) read.problem('profiles', `schedulerName ${name} is there twice`);
  const sorts = new Set(profiles.map((p) => JSON.stringify(p.plugins.queueSort ?? null)));
  if (sorts.size > 1) read.problem('profiles', 'have to match regarding queueSort');
  const config: SchedulerConfig = {
    ...defaultSchedulerConfig,
    profiles,
    extenders,
    percentageOfNodesToScore: read.integer(doc['percentageOfNodesToScore'], 'percentageOfNodesToScore', 0, 0, 100),
    podInitialBackoffSeconds: read.integer(doc['podInitialBackoffSeconds'], 'podInitialBackoffSeconds', 1, 1),
    podMaxBackoffSeconds: read.integer(doc['podMaxBackoffSeconds'], 'podMaxBackoffSeconds', 10, 1),
    leaderElection: leaderElection(read, doc['leaderElection']),
  };
  if (config.podMaxBackoffSeconds < config.podInitialBackoffSeconds)
    read.problem('podMaxBackoffSeconds', 'must be greater than or equal to podInitialBackoffSeconds');
  const clientConnection = connection(read, doc['clientConnection']);
  if (read.problems.length > 0) throw new SchedulerConfigError(read.problems);
  return { config, clientConnection, profiling };
}

/** What extenders manage and say is to be ignored takes the place of what each profile's NodeResourcesFit was told to ignore. */
function leaveToExtenders(profiles: readonly ProfileConfig[], extenders: readonly ExtenderConfig[]): readonly ProfileConfig[] {
  const ignoredResources = extenders.flatMap((e) => e.managedResources.filter((r) => r.ignoredByScheduler).map((r) => r.name));
  if (ignoredResources.length === 0) return profiles;
  return profiles.map((p) => ({ ...p, args: { ...p.args, NodeResourcesFit: { ...p.args.NodeResourcesFit, ignoredResources } } }));
}

function profile(read: ConfigReader, value: unknown, path: string): ProfileConfig {
  const doc = read.object(value, path, ['schedulerName', 'plugins', 'pluginConfig', 'percentageOfNodesToScore']);
  const base = {
    schedulerName: read.text(doc['schedulerName'], `${path}.schedulerName`, defaultProfile.schedulerName),
    plugins: pluginSets(read, doc['plugins'], `${path}.plugins`),
    args: parsePluginArgs(read, doc['pluginConfig'], `${path}.pluginConfig`),
  };
  if (doc['percentageOfNodesToScore'] === undefined) return base;
  return { ...base, percentageOfNodesToScore: read.integer(doc['percentageOfNodesToScore'], `${path}.percentageOfNodesToScore`, 0, 0, 100) };
}

function pluginSets(read: ConfigReader, value: unknown, path: string): PluginSets {
  const points = read.object(value, path, ['multiPoint', ...Object.keys(extensionPoints)]);
  return Object.fromEntries(Object.entries(points).map(([point, set]) => [point, pluginSet(read, set, `${path}.${point}`)]));
}

function pluginSet(read: ConfigReader, value: unknown, path: string): PluginSet {
  const doc = read.object(value, path, ['enabled', 'disabled']);
  const entry = (v: unknown, at: string): ConfigObject & { readonly name: string } => {
    const e = read.object(v, at, ['name', 'weight']);
    return { ...e, name: read.text(e['name'], `${at}.name`, '') };
  };
  const enabled = read.list(doc['enabled'], `${path}.enabled`).map((v, i) => {
    const { name, weight } = entry(v, `${path}.enabled[${i}]`);
    // As upstream: a weight of 0 is none given.
    return weight === undefined ? { name } : { name, weight: read.integer(weight, `${path}.enabled[${i}].weight`, 1, 0) };
  });
  for (const [i, { name }] of enabled.entries())
    if (enabled.findIndex((e) => e.name === name) !== i) read.problem(`${path}.enabled[${i}].name`, `plugin ${JSON.stringify(name)} already registered`);
  return { enabled, disabled: read.list(doc['disabled'], `${path}.disabled`).map((v, i) => entry(v, `${path}.disabled[${i}]`).name) };
}

function positiveSeconds(value: unknown): number | undefined {
  const ms = parseDuration(String(value));
  return ms !== undefined && ms > 0 ? ms / 1000 : undefined;
}

function leaderElection(read: ConfigReader, value: unknown): SchedulerConfig['leaderElection'] {
  const at = 'leaderElection';
  const doc = read.object(value, at, ['leaderElect', 'leaseDuration', 'renewDeadline', 'retryPeriod', 'resourceLock', 'resourceName', 'resourceNamespace']);
  read.settled(doc['resourceLock'], `${at}.resourceLock`, ['leases'], 'leaders are elected by leases');
  if (!read.boolean(doc['leaderElect'], `${at}.leaderElect`, true)) return undefined;
  const election = {
    namespace: read.text(doc['resourceNamespace'], `${at}.resourceNamespace`, 'kube-system'),
    name: read.text(doc['resourceName'], `${at}.resourceName`, 'kube-scheduler'),
    identity: '',
    leaseDurationSeconds: read.parsed(doc['leaseDuration'], `${at}.leaseDuration`, 15, 'a duration', positiveSeconds),
    renewDeadlineSeconds: read.parsed(doc['renewDeadline'], `${at}.renewDeadline`, 10, 'a duration', positiveSeconds),
    retryPeriodSeconds: read.parsed(doc['retryPeriod'], `${at}.retryPeriod`, 2, 'a duration', positiveSeconds),
  };
  if (election.leaseDurationSeconds <= election.renewDeadlineSeconds) read.problem(`${at}.leaseDuration`, 'must be greater than RenewDeadline');
  if (election.renewDeadlineSeconds <= election.retryPeriodSeconds) read.problem(`${at}.renewDeadline`, 'must be greater than RetryPeriod');
  return election;
}

function connection(read: ConfigReader, value: unknown): ClientConnection {
  const at = 'clientConnection';
  const doc = read.object(value, at, ['kubeconfig', 'acceptContentTypes', 'contentType', 'qps', 'burst']);
  read.settled(doc['acceptContentTypes'], `${at}.acceptContentTypes`, ['', 'application/json'], 'the scheduler speaks JSON');
  // What upstream's own default file says, too: it names what the sender prefers, and the API server takes either.
  read.settled(doc['contentType'], `${at}.contentType`, ['', 'application/json', 'application/vnd.kubernetes.protobuf'], 'the scheduler speaks JSON');
  const qps = doc['qps'];
  if (qps !== undefined && typeof qps !== 'number') read.problem(`${at}.qps`, `must be a number, got ${JSON.stringify(qps)}`);
  const burst = read.integer(doc['burst'], `${at}.burst`, 0, 0);
  return {
    ...(doc['kubeconfig'] ? { kubeconfig: read.text(doc['kubeconfig'], `${at}.kubeconfig`, '') } : {}),
    ...(typeof qps === 'number' && qps > 0 ? { limit: { qps, burst: Math.max(1, burst) } } : {}),
  };
}
