import type { Pod } from '@coxswain/api';
import { success, type CycleState, type NodeInfo, type Random, type SchedulerPlugin, type SchedulingStatus } from '@coxswain/sdk';
import type { Snapshot } from '../cache/scheduler-cache.js';
import type { Diagnosis } from './fit-error.js';
import type { Profile } from './profile.js';
import type { PodClass } from './pod-class.js';
import { runFilters, runFiltersWithNominated, type FilterOutcome, type FilterPlugin } from './run-filters.js';
import { isRefusal } from './status.js';

/** Fewer nodes than this are always all looked at. */
const MIN_FEASIBLE_NODES = 100;
const MIN_PERCENTAGE = 5;

export interface CycleInput {
  readonly profile: Profile;
  readonly pod: Pod;
  readonly state: CycleState;
  readonly snapshot: Snapshot;
  /** Absent: no node was promised to anybody. */
  readonly nominatedPods?: ((node: string) => readonly Pod[]) | undefined;
  readonly random: Random;
  /** Where in the node list to begin; rotates, so that all nodes get their turn. */
  readonly startIndex: number;
  /** 0: adaptive. */
  readonly percentageOfNodesToScore: number;
  /** The node the pod's status names has been refused by somebody else: it is one of many. */
  readonly ignoreNomination?: boolean;
}

export type CycleResult =
  | { readonly type: 'placed'; readonly node: string; readonly evaluated: number; readonly feasible: number; readonly nextStart: number }
  /** `filters`: those that took part, for preemption's dry runs. */
  | { readonly type: 'unschedulable'; readonly diagnosis: Diagnosis; readonly filters: readonly FilterPlugin[]; readonly nextStart: number }
  | { readonly type: 'error'; readonly error: Error; readonly plugin: string };

/** How many feasible nodes are enough (upstream `numFeasibleNodesToFind`): all of 100, 42% of 1,000, 5% of many. */
export function feasibleNodesWanted(total: number, percentage: number): number {
  if (total < MIN_FEASIBLE_NODES) return total;
  const share = percentage === 0 ? Math.max(MIN_PERCENTAGE, 50 - Math.floor(total / 125)) : percentage;
  return share >= 100 ? total : Math.max(MIN_FEASIBLE_NODES, Math.floor((total * share) / 100));
}

/**
 * One scheduling attempt, from preFilter to the choice of a node. Pure and synchronous: everything it looks at is in `input`,
 * and everything it decides is in the result.
 */
export function scheduleCycle(input: CycleInput): CycleResult {
  const found = findNodes(input);
  return found.type === 'feasible' ? chooseNode(input, found) : found;
}

interface Judged {
  readonly podClass: PodClass;
  readonly at: readonly number[];
}

/** What the filters let through, at least one node, and what they said of those they looked at before. */
export interface FoundNodes {
  readonly type: 'feasible';
  readonly nodes: readonly NodeInfo[];
  readonly totalNodes: number;
  readonly evaluated: number;
  readonly refused: ReadonlyMap<string, SchedulingStatus>;
  readonly plugins: ReadonlySet<string>;
  readonly filters: readonly FilterPlugin[];
  /** What is known of `nodes` by the pod's class, and where each is in its list. */
  readonly judged?: Judged | undefined;
  /** The one node is that which the pod's status names; the others were not looked at. */
  readonly nominated?: true;
  readonly nextStart: number;
}

/** The first half of a cycle: preFilter and filter. */
export function findNodes(input: CycleInput): FoundNodes | Exclude<CycleResult, { type: 'placed' }> {
  const { profile, pod, state, snapshot } = input;
  const total = snapshot.nodes.length;
  const skipped = new Set<string>();
  let allowed: ReadonlySet<string> | undefined;
  const none: Diagnosis = { totalNodes: total, refused: new Map(), plugins: new Set() };
  if (total === 0) return { type: 'unschedulable', diagnosis: none, filters: [], nextStart: 0 };
  const limiters = new Set<string>();
  for (const plugin of profile.preFilter) {
    const { status, nodes } = plugin.preFilter(state, pod, snapshot.nodes);
    if (status.code === 'skip') skipped.add(plugin.name);
    else if (isRefusal(status)) {
      const refused = new Map<string, SchedulingStatus>();
      for (const n of snapshot.nodes) refused.set(n.node.metadata.name ?? '', status);
      const preFilterMessage = (status.reasons ?? [status.reason]).join(', ');
      const diagnosis: Diagnosis = { totalNodes: total, refused, preFilterMessage, plugins: new Set([plugin.name]) };
      return { type: 'unschedulable', diagnosis, filters: [], nextStart: input.startIndex };
    } else if (status.code === 'error') return { type: 'error', error: status.error, plugin: plugin.name };
    if (nodes) {
      allowed = allowed ? intersection(allowed, nodes) : nodes;
      limiters.add(plugin.name);
      if (allowed.size === 0) {
        const preFilterMessage = `node(s) didn't satisfy plugin(s) [${[...limiters].join(' ')}]`;
        return { type: 'unschedulable', diagnosis: { ...none, preFilterMessage, plugins: limiters }, filters: [], nextStart: input.startIndex };
      }
    }
  }
  const filters = skipped.size === 0 ? profile.filter : profile.filter.filter((p) => !skipped.has(p.name));
  const candidates = allowed ? snapshot.nodes.filter((n) => allowed.has(n.node.metadata.name ?? '')) : snapshot.nodes;
  const promised = input.ignoreNomination ? undefined : nominatedNode(input, filters, allowed);
  if (promised) {
    const found = { nodes: [promised], totalNodes: total, evaluated: 1, refused: new Map(), plugins: new Set<string>(), filters };
    return { type: 'feasible', ...found, nominated: true, nextStart: input.startIndex };
  }
  // Verdicts are by place in the whole list.
  const podClass = allowed ? undefined : snapshot.classes.of(profile, pod, skipped);
  const found = findFeasible(input, filters, candidates, podClass);
  if ('error' in found) return { type: 'error', ...found };
  const nextStart = allowed ? input.startIndex : (input.startIndex + found.looked) % total;
  if (found.feasible.length === 0) {
    if (allowed) {
      // Nodes that preFilter left out: refused for good, by the plugin that left them out.
      const [limiter] = limiters;
      const status: SchedulingStatus = { code: 'unresolvable', reason: `node(s) didn't satisfy plugin(s) [${limiter ?? ''}]` };
      for (const n of snapshot.nodes) {
        const name = n.node.metadata.name ?? '';
        if (!allowed.has(name)) found.refused.set(name, status);
      }
      for (const l of limiters) found.plugins.add(l);
    }
    return { type: 'unschedulable', diagnosis: { totalNodes: total, refused: found.refused, plugins: found.plugins }, filters, nextStart };
  }
  const { feasible: nodes, looked: evaluated, refused, plugins } = found;
  return { type: 'feasible', nodes, totalNodes: total, evaluated, refused, plugins, filters, judged: found.judged, nextStart };
}

/** The node that the pod's status names, by preemption or by whoever expects the pod there, if it can still run there. */
function nominatedNode({ pod, snapshot, state, nominatedPods }: CycleInput, filters: readonly FilterPlugin[], allowed: ReadonlySet<string> | undefined) {
  const name = pod.status?.nominatedNodeName;
  const info = name && (!allowed || allowed.has(name)) ? snapshot.get(name) : undefined;
  if (!name || !info) return undefined;
  return runFiltersWithNominated(filters, state, pod, info, nominatedPods?.(name) ?? NOBODY, { plugin: '' }).code === 'success' ? info : undefined;
}

/** The second half: preScore, score, choice. `bonus[i]` is added to what `nodes[i]` scores. */
export function chooseNode(input: CycleInput, { nodes, evaluated, nextStart, judged }: FoundNodes, bonus?: Float64Array): CycleResult {
  const node = nodes.length === 1 ? (nodes[0] as NodeInfo) : pickBest(input, nodes, judged, bonus);
  if (node instanceof Error) return { type: 'error', error: node, plugin: 'score' };
  return { type: 'placed', node: node.node.metadata.name ?? '', evaluated, feasible: nodes.length, nextStart };
}

const NOBODY: readonly Pod[] = [];

interface Found {
  readonly feasible: NodeInfo[];
  readonly judged: Judged | undefined;
  readonly refused: Map<string, SchedulingStatus>;
  readonly plugins: Set<string>;
  readonly looked: number;
}

function findFeasible(
  input: CycleInput,
  filters: readonly FilterPlugin[],
  nodes: readonly NodeInfo[],
  podClass: PodClass | undefined,
): Found | { readonly error: Error; readonly plugin: string } {
  const { profile, state, pod, nominatedPods } = input;
  const wanted = feasibleNodesWanted(nodes.length, input.percentageOfNodesToScore);
  const feasible: NodeInfo[] = [];
  const places: number[] = [];
  const refused = new Map<string, SchedulingStatus>();
  const plugins = new Set<string>();
  const out: FilterOutcome = { plugin: '' };
  const signedFilters = filters.filter((f) => profile.signedFilters.has(f));
  const otherFilters = filters.slice(signedFilters.length);
  let at = input.startIndex % nodes.length;
  let looked = 0;
  while (looked < nodes.length && feasible.length < wanted) {
    const place = at;
    const info = nodes[place] as NodeInfo;
    looked++;
    if (++at === nodes.length) at = 0;
    const nominated = nominatedPods?.(info.node.metadata.name ?? '') ?? NOBODY;
    let status: SchedulingStatus;
    if (!podClass || nominated.length > 0) status = runFiltersWithNominated(filters, state, pod, info, nominated, out);
    else {
      const known = podClass.status(place, info);
      if (known) {
        status = known;
        if (known !== success) out.plugin = podClass.plugin(place);
      } else {
        status = runFilters(signedFilters, state, pod, info, out);
        if (status.code !== 'error') podClass.judge(place, info, status, out.plugin);
      }
      if (otherFilters.length > 0 && status.code === 'success') status = runFilters(otherFilters, state, pod, info, out);
    }
    if (status === success || status.code === 'success') {
      feasible.push(info);
      places.push(place);
    } else if (status.code === 'error') return { error: status.error, plugin: out.plugin };
    else {
      refused.set(info.node.metadata.name ?? '', status);
      plugins.add(out.plugin);
    }
  }
  return { feasible, judged: podClass && { podClass, at: places }, refused, plugins, looked };
}

type ScorePlugin = SchedulerPlugin & Required<Pick<SchedulerPlugin, 'score'>>;

/** Of one cycle at a time, which is synchronous: mostly there are as many nodes to score as for the pod before. */
let last = { totals: new Float64Array(0), scores: new Float64Array(0) };

function scratch(length: number): typeof last {
  if (last.totals.length === length) last.totals.fill(0);
  else last = { totals: new Float64Array(length), scores: new Float64Array(length) };
  return last;
}

/** The node with the highest sum of weighted scores; among equals, any with the same chance. */
function pickBest(
  { profile, pod, state, random }: CycleInput,
  nodes: readonly NodeInfo[],
  judged: Judged | undefined,
  bonus: Float64Array | undefined,
): NodeInfo | Error {
  const skipped = new Set<string>();
  for (const plugin of profile.preScore) {
    const status = plugin.preScore(state, pod, nodes);
    if (status.code === 'skip') skipped.add(plugin.name);
    else if (status.code === 'error') return status.error;
  }
  const { totals, scores } = scratch(nodes.length);
  if (bonus) totals.set(bonus);
  if (judged) {
    const { podClass, at } = judged;
    for (let i = 0; i < nodes.length; i++) {
      const info = nodes[i] as NodeInfo;
      const place = at[i] as number;
      let score = podClass.score(place, info);
      if (Number.isNaN(score)) {
        score = signedScore(profile, state, pod, info);
        if (podClass.status(place, info)) podClass.rate(place, score);
      }
      (totals[i] as number) += score;
    }
  }
  for (const plugin of profile.score as readonly ScorePlugin[]) {
    if (skipped.has(plugin.name) || (judged && profile.signedScore.includes(plugin))) continue;
    for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, pod, nodes[i] as NodeInfo);
    plugin.normalize?.(state, pod, nodes, scores);
    const weight = plugin.weight ?? 1;
    for (let i = 0; i < nodes.length; i++) (totals[i] as number) += weight * (scores[i] as number);
  }
  let best = 0;
  let ties = 1;
  for (let i = 1; i < nodes.length; i++) {
    const delta = (totals[i] as number) - (totals[best] as number);
    if (delta > 0) {
      best = i;
      ties = 1;
    } else if (delta === 0 && random.int(++ties) === 0) best = i;
  }
  return nodes[best] as NodeInfo;
}

/** What the signing plugins give the node, in sum. */
function signedScore(profile: Profile, state: CycleState, pod: Pod, info: NodeInfo): number {
  let sum = 0;
  for (const plugin of profile.signedScore as readonly ScorePlugin[]) sum += (plugin.weight ?? 1) * plugin.score(state, pod, info);
  return sum;
}

function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  const out = new Set<string>();
  for (const v of a) if (b.has(v)) out.add(v);
  return out;
}
