import type { Node, Pod } from '@coxswain/api';
import { skip, success, type NodeInfo, type SchedulerPlugin } from '@coxswain/sdk';
import { HOSTNAME_LABEL } from '../cache/node-order.js';
import type { ClusterView } from '../framework/handle.js';
import { unresolvable, unschedulable } from '../framework/status.js';
import { MAX_NODE_SCORE } from './normalize.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';
import { compileConstraints, compileDefaults, countMatching, countOn, counts, type SpreadConstraint } from './topology-constraints.js';

const REFUSED = unschedulable("node(s) didn't match pod topology spread constraints");
const NO_LABEL = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");

/** Pods per topology value, per constraint; changed by preemption's what-ifs, hence cloneable. */
class FilterState {
  constructor(
    readonly constraints: readonly SpreadConstraint[],
    readonly domains: readonly Map<string, number>[],
  ) {}

  clone(): FilterState {
    return new FilterState(
      this.constraints,
      this.domains.map((d) => new Map(d)),
    );
  }

  /** A pod came to (1) or went from (-1) a node. */
  move(pod: Pod, moved: Pod, node: NodeInfo, by: 1 | -1): void {
    this.constraints.forEach((c, i) => {
      const value = node.node.metadata.labels?.[c.topologyKey];
      if (value === undefined || !counts(c, pod, node)) return;
      const d = this.domains[i] as Map<string, number>;
      d.set(value, (d.get(value) ?? 0) + by * countMatching([moved], c.selector, pod.metadata.namespace));
    });
  }

  /** The emptiest domain; 0 while there are fewer domains than `minDomains`. */
  min(i: number): number {
    const d = this.domains[i] as Map<string, number>;
    if (d.size < (this.constraints[i] as SpreadConstraint).minDomains) return 0;
    let min = Number.POSITIVE_INFINITY;
    for (const n of d.values()) if (n < min) min = n;
    return min === Number.POSITIVE_INFINITY ? 0 : min;
  }
}

interface ScoreState {
  readonly constraints: readonly SpreadConstraint[];
  readonly counts: readonly Map<string, number>[];
  readonly weights: readonly number[];
  readonly ignored: ReadonlySet<string>;
}

const FILTER = Symbol('PodTopologySpread.filter');
const SCORE = Symbol('PodTopologySpread.score');
const hasAll = (node: Node, constraints: readonly SpreadConstraint[]) => constraints.every((c) => node.metadata.labels?.[c.topologyKey] !== undefined);

const hasOwn = (pod: Pod) => (pod.spec?.topologySpreadConstraints?.length ?? 0) > 0;

function constraintsOf(pod: Pod, when: 'DoNotSchedule' | 'ScheduleAnyway', view: ClusterView, args: PluginArgs['PodTopologySpread']): SpreadConstraint[] {
  if (hasOwn(pod)) return compileConstraints(pod, when);
  if (!args.defaultConstraints.some((c) => c.whenUnsatisfiable === when)) return [];
  const selector = view.defaultSelector(pod);
  return selector ? compileDefaults(pod, args.defaultConstraints, when, selector) : [];
}

/** `topologySpreadConstraints`; pods that have none are spread by the default ones when a Service or controller selects them. */
export const podTopologySpread = (view: ClusterView, args: PluginArgs['PodTopologySpread'] = defaultPluginArgs.PodTopologySpread): SchedulerPlugin => ({
  name: 'PodTopologySpread',
  weight: 2,
  events: [
    { resource: 'AssignedPod', action: 'add' },
    { resource: 'AssignedPod', action: 'update' },
    { resource: 'AssignedPod', action: 'delete' },
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update' },
    { resource: 'Node', action: 'delete' },
    { resource: 'Pod', action: 'update' },
  ],
  preFilter(state, pod, nodes) {
    const constraints = constraintsOf(pod, 'DoNotSchedule', view, args);
    if (constraints.length === 0) return { status: skip };
    const domains = constraints.map(() => new Map<string, number>());
    for (const info of nodes) {
      if (!hasAll(info.node, constraints)) continue;
      constraints.forEach((c, i) => {
        if (!counts(c, pod, info)) return;
        const value = info.node.metadata.labels?.[c.topologyKey] as string;
        const d = domains[i] as Map<string, number>;
        d.set(value, (d.get(value) ?? 0) + countOn(info, c, pod.metadata.namespace));
      });
    }
    state.write(FILTER, new FilterState(constraints, domains));
    return { status: success };
  },
  addPod(state, pod, added, node) {
    state.read<FilterState>(FILTER)?.move(pod, added, node, 1);
    return success;
  },
  removePod(state, pod, removed, node) {
    state.read<FilterState>(FILTER)?.move(pod, removed, node, -1);
    return success;
  },
  filter(state, pod, { node }) {
    const s = state.read<FilterState>(FILTER);
    if (!s) return success;
    for (let i = 0; i < s.constraints.length; i++) {
      const c = s.constraints[i] as SpreadConstraint;
      const value = node.metadata.labels?.[c.topologyKey];
      if (value === undefined) return NO_LABEL;
      const own = c.selector.matches(pod.metadata.labels) ? 1 : 0;
      if ((s.domains[i]?.get(value) ?? 0) + own - s.min(i) > c.maxSkew) return REFUSED;
    }
    return success;
  },
  preScore(state, pod, nodes) {
    const constraints = constraintsOf(pod, 'ScheduleAnyway', view, args);
    const strict = hasOwn(pod) || args.defaultingType === 'List';
    if (constraints.length === 0) return skip;
    const ignored = new Set<string>();
    if (strict) for (const { node } of nodes) if (!hasAll(node, constraints)) ignored.add(node.metadata.name ?? '');
    const perDomain = constraints.map((c) => {
      const domains = new Map<string, number>();
      // Hostname domains are counted when a node is scored: there are as many as nodes.
      if (c.topologyKey === HOSTNAME_LABEL) return domains;
      for (const { node } of nodes) {
        const value = node.metadata.labels?.[c.topologyKey];
        if (value !== undefined && !ignored.has(node.metadata.name ?? '')) domains.set(value, 0);
      }
      if (domains.size === 0) return domains;
      for (const info of view.snapshot().nodes) {
        if (info.pods.length === 0 || (strict && !hasAll(info.node, constraints))) continue;
        const value = info.node.metadata.labels?.[c.topologyKey];
        const n = value === undefined ? undefined : domains.get(value);
        if (n !== undefined && counts(c, pod, info)) domains.set(value as string, n + countOn(info, c, pod.metadata.namespace));
      }
      return domains;
    });
    const weights = constraints.map((c, i) => Math.log((c.topologyKey === HOSTNAME_LABEL ? nodes.length - ignored.size : (perDomain[i]?.size ?? 0)) + 2));
    state.write<ScoreState>(SCORE, { constraints, counts: perDomain, weights, ignored });
    return success;
  },
  score(state, pod, info) {
    const s = state.read<ScoreState>(SCORE);
    if (!s || (s.ignored.size > 0 && s.ignored.has(info.node.metadata.name ?? ''))) return 0;
    let sum = 0;
    for (let i = 0; i < s.constraints.length; i++) {
      const c = s.constraints[i] as SpreadConstraint;
      const value = info.node.metadata.labels?.[c.topologyKey];
      if (value === undefined) continue;
      const n = c.topologyKey === HOSTNAME_LABEL ? countOn(info, c, pod.metadata.namespace) : (s.counts[i]?.get(value) ?? 0);
      sum += n * (s.weights[i] as number) + (c.maxSkew - 1);
    }
    return Math.round(sum);
  },
  normalize(state, _pod, nodes, scores) {
    const s = state.read<ScoreState>(SCORE);
    const out = (i: number) => (s?.ignored.size ?? 0) > 0 && s?.ignored.has(nodes[i]?.node.metadata.name ?? '');
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (let i = 0; i < nodes.length; i++) {
      if (out(i)) continue;
      min = Math.min(min, scores[i] as number);
      max = Math.max(max, scores[i] as number);
    }
    for (let i = 0; i < nodes.length; i++) {
      if (out(i)) scores[i] = 0;
      else scores[i] = max === 0 ? MAX_NODE_SCORE : Math.floor((MAX_NODE_SCORE * (max + min - (scores[i] as number))) / max);
    }
  },
});
