import type { Pod } from '@coxswain/api';
import { success, type NodeInfo, type ResourceVector, type SchedulerPlugin, type SchedulingStatus } from '@coxswain/sdk';
import { podFacts } from '../framework/pod-resources.js';
import { unresolvable, unschedulable } from '../framework/status.js';
import { MAX_NODE_SCORE } from './normalize.js';

export interface FitArgs {
  readonly strategy: 'LeastAllocated' | 'MostAllocated';
  readonly resources: readonly { readonly name: string; readonly weight: number }[];
}

export const defaultFitArgs: FitArgs = {
  strategy: 'LeastAllocated',
  resources: [
    { name: 'cpu', weight: 1 },
    { name: 'memory', weight: 1 },
  ],
};

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

function fits(pod: Pod, node: NodeInfo): SchedulingStatus {
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
    const all = a.scalar.get(name) ?? 0;
    check(name, want, all - (used.scalar.get(name) ?? 0), all);
  }
  return shortages.length === 0 ? success : statusOf(shortages);
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

/** Requests fit into what is left; the emptier (or, by choice, the fuller) node is better. */
export const nodeResourcesFit = (args: FitArgs = defaultFitArgs): SchedulerPlugin => {
  const most = args.strategy === 'MostAllocated';
  return {
    name: 'NodeResourcesFit',
    events: [
      { resource: 'AssignedPod', action: 'delete' },
      { resource: 'AssignedPod', action: 'update' },
      { resource: 'Node', action: 'add' },
      { resource: 'Node', action: 'update' },
      { resource: 'Pod', action: 'update' },
    ],
    filter: (_state, pod, node) => fits(pod, node),
    score(_state, pod, node) {
      let sum = 0;
      let weights = 0;
      for (let i = 0; i < args.resources.length; i++) {
        const { name, weight } = args.resources[i] as { name: string; weight: number };
        const all = amount(node.allocatable, name);
        if (all === 0) continue;
        weights += weight;
        const asked = requestedWith(pod, node, name);
        if (asked > all) continue;
        sum += weight * Math.floor(((most ? asked : all - asked) * MAX_NODE_SCORE) / all);
      }
      return weights === 0 ? 0 : Math.floor(sum / weights);
    },
  };
};

/** Nodes whose CPU and memory would be used in like measure are better. */
export const nodeResourcesBalancedAllocation = (): SchedulerPlugin => ({
  name: 'NodeResourcesBalancedAllocation',
  score(_state, pod, node) {
    const f = podFacts(pod);
    const a = node.allocatable;
    if (a.milliCpu === 0 || a.memory === 0) return MAX_NODE_SCORE;
    const cpu = Math.min(1, (node.requested.milliCpu + f.requests.milliCpu) / a.milliCpu);
    const memory = Math.min(1, (node.requested.memory + f.requests.memory) / a.memory);
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * MAX_NODE_SCORE);
  },
});
