import type { Pod } from '@coxswain/api';
import { success, type NodeInfo, type ResourceVector, type SchedulerPlugin, type SchedulingStatus } from '@coxswain/sdk';
import { classOfResource, mayBeDevices } from '@coxswain/apimachinery';
import type { ClusterView } from '../framework/handle.js';
import { podFacts } from '../framework/pod-resources.js';
import { unresolvable, unschedulable } from '../framework/status.js';
import { MAX_NODE_SCORE } from './normalize.js';
import { defaultPluginArgs, type FitArgs, type PluginArgs, type ScoringStrategy } from './plugin-args.js';
import { scoringShape } from './scoring-shape.js';

/** What does not fit, and whether even an empty node would be too small for it. */
interface Shortage {
  readonly reason: string;
  readonly hopeless: boolean;
}

const cache = new Map<string, SchedulingStatus>();

function statusOf(shortages: readonly Shortage[]): SchedulingStatus {
  const hopeless = shortages.some((s) => s.hopeless);
  const key = `${hopeless}|${shortages.map((s) => s.reason).join('|')}`;
  let status = cache.get(key);
  if (!status) {
    const [first, ...rest] = shortages.map((s) => s.reason);
    status = (hopeless ? unresolvable : unschedulable)(first ?? '', ...rest);
    if (cache.size < 1000) cache.set(key, status);
  }
  return status;
}

function fits(pod: Pod, node: NodeInfo, ignored: (name: string) => boolean, asDevices: (name: string) => boolean): SchedulingStatus {
  const { requests: r } = podFacts(pod);
  const { allocatable: a, requested: used } = node;
  let fine = node.pods.length + 1 <= node.allowedPodNumber;
  fine &&= r.milliCpu === 0 || r.milliCpu <= a.milliCpu - used.milliCpu;
  fine &&= r.memory === 0 || r.memory <= a.memory - used.memory;
  fine &&= r.ephemeralStorage === 0 || r.ephemeralStorage <= a.ephemeralStorage - used.ephemeralStorage;
  if (fine && r.scalar.size === 0) return success;
  const shortages: Shortage[] = [];
  if (node.pods.length + 1 > node.allowedPodNumber) shortages.push({ reason: 'Too many pods', hopeless: false });
  const check = (name: string, want: number, free: number, all: number) => {
    if (want > 0 && want > free) shortages.push({ reason: `Insufficient ${name}`, hopeless: want > all });
  };
  check('cpu', r.milliCpu, a.milliCpu - used.milliCpu, a.milliCpu);
  check('memory', r.memory, a.memory - used.memory, a.memory);
  check('ephemeral-storage', r.ephemeralStorage, a.ephemeralStorage - used.ephemeralStorage, a.ephemeralStorage);
  for (const [name, want] of r.scalar) {
    if (ignored(name)) continue;
    const all = a.scalar.get(name) ?? 0;
    // Not of a device plugin: whoever gives out devices sees to it.
    if (all === 0 && asDevices(name)) continue;
    check(name, want, all - (used.scalar.get(name) ?? 0), all);
  }
  return shortages.length === 0 ? success : statusOf(shortages);
}

/** What a pod asks for, as text; and for what of it devices may stand just now, since what was said of a node is not said anew. */
function signRequests(pod: Pod, asDevices: (name: string) => boolean = () => false): string {
  const { requests: r, nonZero } = podFacts(pod);
  const scalar = r.scalar.size === 0 ? '' : JSON.stringify([...r.scalar].map(([name, want]) => [name, want, asDevices(name)]));
  return `${r.milliCpu} ${r.memory} ${r.ephemeralStorage} ${nonZero.milliCpu} ${nonZero.memory} ${scalar}`;
}

const amount = (v: ResourceVector, name: string): number =>
  name === 'cpu' ? v.milliCpu : name === 'memory' ? v.memory : name === 'ephemeral-storage' ? v.ephemeralStorage : (v.scalar.get(name) ?? 0);

/** What would be asked of the node with the pod on it; cpu and memory by the non-zero requests. */
function requestedWith(pod: Pod, node: NodeInfo, name: string): number {
  const f = podFacts(pod);
  if (name === 'cpu') return node.nonZeroRequested.milliCpu + f.nonZero.milliCpu;
  if (name === 'memory') return node.nonZeroRequested.memory + f.nonZero.memory;
  return amount(node.requested, name) + amount(f.requests, name);
}

/** What a node is worth of which `asked` of `all` would be used. */
type ScoreResource = (asked: number, all: number) => number;

function resourceScore(strategy: ScoringStrategy): ScoreResource {
  switch (strategy.type) {
    case 'LeastAllocated':
      return (asked, all) => (asked > all ? 0 : Math.floor(((all - asked) * MAX_NODE_SCORE) / all));
    case 'MostAllocated':
      return (asked, all) => Math.floor((Math.min(asked, all) * MAX_NODE_SCORE) / all);
    case 'RequestedToCapacityRatio': {
      const shape = scoringShape(strategy.shape);
      return (asked, all) => shape(asked > all ? 100 : Math.floor((asked * 100) / all));
    }
  }
}

function ignoredResources({ ignoredResources: names, ignoredResourceGroups: groups }: FitArgs): (name: string) => boolean {
  if (names.length === 0 && groups.length === 0) return () => false;
  return (name) => names.includes(name) || groups.includes(name.split('/')[0] as string);
}

/** A class helps with nothing but what devices may stand for. */
const asksForMore = (pod: Pod): boolean => {
  for (const name of podFacts(pod).requests.scalar.keys()) if (mayBeDevices(name)) return true;
  return false;
};

/** Requests fit into what is left; the emptier (or, by choice, the fuller) node is better. */
export const nodeResourcesFit = (view: Pick<ClusterView, 'deviceClasses'>, args: FitArgs = defaultPluginArgs.NodeResourcesFit): SchedulerPlugin => {
  const asDevices = (name: string) => mayBeDevices(name) && classOfResource(name, view.deviceClasses()) !== undefined;
  const { resources, type } = args.scoringStrategy;
  const scoreOf = resourceScore(args.scoringStrategy);
  const ignored = ignoredResources(args);
  // As upstream: only this strategy leaves a resource out of the mean that scores nothing, and rounds.
  const byRatio = type === 'RequestedToCapacityRatio';
  return {
    name: 'NodeResourcesFit',
    events: [
      { resource: 'AssignedPod', action: 'delete' },
      { resource: 'AssignedPod', action: 'update' },
      { resource: 'Node', action: 'add' },
      { resource: 'Node', action: 'update' },
      { resource: 'Pod', action: 'update' },
      { resource: 'DeviceClass', action: 'add', helps: asksForMore },
      { resource: 'DeviceClass', action: 'update', helps: asksForMore },
    ],
    sign: (pod) => signRequests(pod, asDevices),
    filter: (_state, pod, node) => fits(pod, node, ignored, asDevices),
    score(_state, pod, node) {
      let sum = 0;
      let weights = 0;
      for (let i = 0; i < resources.length; i++) {
        const { name, weight } = resources[i] as { name: string; weight: number };
        const all = amount(node.allocatable, name);
        if (all === 0) continue;
        const score = scoreOf(requestedWith(pod, node, name), all);
        if (byRatio && score === 0) continue;
        weights += weight;
        sum += weight * score;
      }
      if (weights === 0) return 0;
      return byRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
    },
  };
};

/** Nodes whose resources would be used in like measure are better. */
export function nodeResourcesBalancedAllocation(
  { resources }: PluginArgs['NodeResourcesBalancedAllocation'] = defaultPluginArgs.NodeResourcesBalancedAllocation,
): SchedulerPlugin {
  // Of one call at a time: scoring is synchronous, and asks for hundreds of nodes a pod.
  const used = new Float64Array(resources.length);
  return {
    name: 'NodeResourcesBalancedAllocation',
    sign: (pod) => signRequests(pod),
    score(_state, pod, node) {
      const { requests } = podFacts(pod);
      let n = 0;
      for (let i = 0; i < resources.length; i++) {
        const { name } = resources[i] as { readonly name: string };
        const all = amount(node.allocatable, name);
        if (all > 0) used[n++] = Math.min(1, (amount(node.requested, name) + amount(requests, name)) / all);
      }
      return Math.floor((1 - deviation(used, n)) * MAX_NODE_SCORE);
    },
  };
}

/** The standard deviation of the first `n`. */
function deviation(values: Float64Array, n: number): number {
  if (n < 2) return 0;
  // As upstream, which is not the general formula's result to the last bit.
  if (n === 2) return Math.abs((values[0] as number) - (values[1] as number)) / 2;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += (values[i] as number) / n;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += ((values[i] as number) - mean) ** 2;
  return Math.sqrt(sum / n);
}
