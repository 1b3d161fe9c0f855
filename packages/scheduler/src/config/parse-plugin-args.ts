import type { NodeAffinity } from '@coxswain/api';
import { parseDuration } from '@coxswain/apimachinery';
import {
  defaultPluginArgs,
  type DefaultSpreadConstraint,
  type FitArgs,
  type PluginArgs,
  type ResourceWeight,
  type ScoringStrategy,
} from '../plugins/plugin-args.js';
import type { ShapePoint } from '../plugins/scoring-shape.js';
import type { ConfigObject, ConfigReader } from '@coxswain/sdk';

type Parse<K extends keyof PluginArgs> = (read: ConfigReader, args: ConfigObject, path: string) => PluginArgs[K];
/** Every args object may say what it is. */
const typed = ['apiVersion', 'kind'];

const parsers: { readonly [K in keyof PluginArgs]: { readonly fields: readonly string[]; readonly parse: Parse<K> } } = {
  NodeResourcesFit: { fields: ['ignoredResources', 'ignoredResourceGroups', 'scoringStrategy'], parse: fit },
  NodeResourcesBalancedAllocation: {
    fields: ['resources'],
    parse: (read, args, path) => ({ resources: resources(read, args['resources'], `${path}.resources`) }),
  },
  NodeAffinity: {
    fields: ['addedAffinity'],
    parse: (read, args, path) => ({ addedAffinity: addedAffinity(read, args['addedAffinity'], `${path}.addedAffinity`) }),
  },
  InterPodAffinity: {
    fields: ['hardPodAffinityWeight', 'ignorePreferredTermsOfExistingPods'],
    parse: (read, args, path) => ({
      hardPodAffinityWeight: read.integer(args['hardPodAffinityWeight'], `${path}.hardPodAffinityWeight`, 1, 0, 100),
      ignorePreferredTermsOfExistingPods: read.boolean(args['ignorePreferredTermsOfExistingPods'], `${path}.ignorePreferredTermsOfExistingPods`, false),
    }),
  },
  PodTopologySpread: { fields: ['defaultConstraints', 'defaultingType'], parse: spread },
  DefaultPreemption: {
    fields: ['minCandidateNodesPercentage', 'minCandidateNodesAbsolute'],
    parse: (read, args, path) => {
      const percentage = read.integer(args['minCandidateNodesPercentage'], `${path}.minCandidateNodesPercentage`, 10, 0, 100);
      const absolute = read.integer(args['minCandidateNodesAbsolute'], `${path}.minCandidateNodesAbsolute`, 100, 0);
      if (percentage === 0 && absolute === 0) read.problem(path, 'minCandidateNodesPercentage and minCandidateNodesAbsolute cannot both be zero');
      return { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute };
    },
  },
  DynamicResources: {
    fields: ['filterTimeout', 'bindingTimeout'],
    parse: (read, args, path) => ({
      bindingTimeoutMs: read.parsed(args['bindingTimeout'], `${path}.bindingTimeout`, 600_000, 'a duration of at least a second', (v) => {
        const ms = parseDuration(String(v));
        return ms !== undefined && ms >= 1000 ? ms : undefined;
      }),
      filterTimeoutMs: read.parsed(args['filterTimeout'], `${path}.filterTimeout`, 10_000, 'a duration', (v) => {
        const ms = parseDuration(String(v));
        return ms !== undefined && ms >= 0 ? ms : undefined;
      }),
    }),
  },
  VolumeBinding: {
    fields: ['bindTimeoutSeconds'],
    parse: (read, args, path) => ({ bindTimeoutSeconds: read.integer(args['bindTimeoutSeconds'], `${path}.bindTimeoutSeconds`, 600, 0) }),
  },
};

/** `profiles[].pluginConfig`: one entry a plugin; what we do not know is a problem, never ignored. */
export function parsePluginArgs(read: ConfigReader, value: unknown, path: string): PluginArgs {
  const out: { -readonly [K in keyof PluginArgs]: PluginArgs[K] } = { ...defaultPluginArgs };
  const seen = new Set<string>();
  for (const [i, entry] of read.list(value, path).entries()) {
    const at = `${path}[${i}]`;
    const { name, args } = read.object(entry, at, ['name', 'args']);
    if (seen.has(String(name))) read.problem(`${at}.name`, `${JSON.stringify(name)} is there twice`);
    seen.add(String(name));
    if (!isConfigurable(name)) {
      read.problem(`${at}.name`, `${JSON.stringify(name)} takes no arguments (these do: ${Object.keys(parsers).join(', ')})`);
      continue;
    }
    set(out, name, read, args, `${at}.args`);
  }
  return out;
}

const isConfigurable = (name: unknown): name is keyof PluginArgs => typeof name === 'string' && Object.hasOwn(parsers, name);

function set<K extends keyof PluginArgs>(
  out: { -readonly [P in keyof PluginArgs]: PluginArgs[P] },
  name: K,
  read: ConfigReader,
  args: unknown,
  path: string,
): void {
  const { fields, parse } = parsers[name];
  out[name] = parse(read, read.object(args, path, [...typed, ...fields]), path);
}

function resources(read: ConfigReader, value: unknown, path: string): readonly ResourceWeight[] {
  const listed = read.list(value, path).map((r, i) => {
    const { name, weight } = read.object(r, `${path}[${i}]`, ['name', 'weight']);
    return { name: read.text(name, `${path}[${i}].name`, ''), weight: read.integer(weight, `${path}[${i}].weight`, 1, 1, 100) };
  });
  return listed.length > 0 ? listed : defaultPluginArgs.NodeResourcesBalancedAllocation.resources;
}

function fit(read: ConfigReader, args: ConfigObject, path: string): FitArgs {
  const groups = read.texts(args['ignoredResourceGroups'], `${path}.ignoredResourceGroups`);
  for (const group of groups) if (group.includes('/')) read.problem(`${path}.ignoredResourceGroups`, `${JSON.stringify(group)} can't contain '/'`);
  return {
    ignoredResources: read.texts(args['ignoredResources'], `${path}.ignoredResources`),
    ignoredResourceGroups: groups,
    scoringStrategy: scoringStrategy(read, args['scoringStrategy'], `${path}.scoringStrategy`),
  };
}

function scoringStrategy(read: ConfigReader, value: unknown, path: string): ScoringStrategy {
  const doc = read.object(value, path, ['type', 'resources', 'requestedToCapacityRatio']);
  const type = read.choice(doc['type'], `${path}.type`, ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'], 'LeastAllocated');
  const weights = resources(read, doc['resources'], `${path}.resources`);
  if (type !== 'RequestedToCapacityRatio') return { type, resources: weights };
  const ratio = read.object(doc['requestedToCapacityRatio'], `${path}.requestedToCapacityRatio`, ['shape']);
  return { type, resources: weights, shape: shape(read, ratio['shape'], `${path}.requestedToCapacityRatio.shape`) };
}

function shape(read: ConfigReader, value: unknown, path: string): readonly ShapePoint[] {
  const points = read.list(value, path).map((p, i) => {
    const doc = read.object(p, `${path}[${i}]`, ['utilization', 'score']);
    return {
      utilization: read.integer(doc['utilization'], `${path}[${i}].utilization`, 0, 0, 100),
      score: read.integer(doc['score'], `${path}[${i}].score`, 0, 0, 10),
    };
  });
  if (points.length === 0) read.problem(path, 'at least one point must be specified');
  for (let i = 1; i < points.length; i++) {
    if ((points[i] as ShapePoint).utilization <= (points[i - 1] as ShapePoint).utilization)
      read.problem(`${path}[${i}].utilization`, 'utilization values must be sorted in increasing order');
  }
  return points;
}

function addedAffinity(read: ConfigReader, value: unknown, path: string): NodeAffinity | undefined {
  if (value === undefined) return undefined;
  const doc = read.object(value, path, ['requiredDuringSchedulingIgnoredDuringExecution', 'preferredDuringSchedulingIgnoredDuringExecution']) as NodeAffinity;
  const required = doc.requiredDuringSchedulingIgnoredDuringExecution;
  if (required && !(Array.isArray(required.nodeSelectorTerms) && required.nodeSelectorTerms.length > 0))
    read.problem(`${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`, 'must have at least one node selector term');
  for (const [i, term] of read.list(doc.preferredDuringSchedulingIgnoredDuringExecution, `${path}.preferredDuringSchedulingIgnoredDuringExecution`).entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    const preferred = read.object(term, at, ['weight', 'preference']);
    read.integer(preferred['weight'], `${at}.weight`, 1, 1, 100);
    read.object(preferred['preference'], `${at}.preference`, ['matchExpressions', 'matchFields']);
  }
  return doc;
}

function spread(read: ConfigReader, args: ConfigObject, path: string): PluginArgs['PodTopologySpread'] {
  const defaultingType = read.choice(args['defaultingType'], `${path}.defaultingType`, ['System', 'List'], 'System');
  const at = `${path}.defaultConstraints`;
  const listed = read.list(args['defaultConstraints'], at).map((c, i): DefaultSpreadConstraint => {
    const doc = read.object(c, `${at}[${i}]`, ['maxSkew', 'topologyKey', 'whenUnsatisfiable', 'labelSelector']);
    if (doc['labelSelector'] !== undefined) read.problem(`${at}[${i}].labelSelector`, 'constraint must not define a selector, as they deduced for each pod');
    return {
      maxSkew: read.integer(doc['maxSkew'], `${at}[${i}].maxSkew`, 1, 1),
      topologyKey: read.text(doc['topologyKey'], `${at}[${i}].topologyKey`, ''),
      whenUnsatisfiable: read.choice(doc['whenUnsatisfiable'], `${at}[${i}].whenUnsatisfiable`, ['DoNotSchedule', 'ScheduleAnyway'], 'DoNotSchedule'),
    };
  });
  if (defaultingType === 'List') return { defaultingType, defaultConstraints: listed };
  if (listed.length > 0) read.problem(at, 'must be empty when .defaultingType is System');
  return defaultPluginArgs.PodTopologySpread;
}
