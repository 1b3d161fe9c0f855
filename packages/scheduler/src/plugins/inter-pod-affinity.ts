import type { Pod } from '@coxswain/api';
import { skip, success, type NodeInfo, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterView } from '../framework/handle.js';
import { unresolvable, unschedulable } from '../framework/status.js';
import { affinityTerms, termMatches, type AffinityTerm } from './affinity-terms.js';
import { MAX_NODE_SCORE } from './normalize.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';

const NO_AFFINITY = unresolvable("node(s) didn't match pod affinity rules");
const ANTI = unschedulable("node(s) didn't match pod anti-affinity rules");
const EXISTING_ANTI = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

const FILTER = Symbol('InterPodAffinity.filter');
const SCORE = Symbol('InterPodAffinity.score');
type Counts = Map<string, number>;

const domain = (info: NodeInfo, key: string): string | undefined => {
  const value = info.node.metadata.labels?.[key];
  return value === undefined ? undefined : `${key}\0${value}`;
};

function bump(counts: Counts, info: NodeInfo, term: AffinityTerm, by: number): void {
  const d = domain(info, term.topologyKey);
  if (d === undefined) return;
  const n = (counts.get(d) ?? 0) + by;
  if (n === 0) counts.delete(d);
  else counts.set(d, n);
}

/** Matching pods per topology domain. */
class FilterState {
  constructor(
    readonly view: ClusterView,
    readonly affinity: Counts = new Map(),
    readonly anti: Counts = new Map(),
    readonly existingAnti: Counts = new Map(),
  ) {}

  clone(): FilterState {
    return new FilterState(this.view, new Map(this.affinity), new Map(this.anti), new Map(this.existingAnti));
  }

  count(pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
    const mine = affinityTerms(pod);
    if (mine.required.length > 0 && mine.required.every((t) => termMatches(t, other, this.view))) {
      for (const t of mine.required) bump(this.affinity, info, t, by);
    }
    for (const t of mine.requiredAnti) if (termMatches(t, other, this.view)) bump(this.anti, info, t, by);
  }

  countExisting(pod: Pod, other: Pod, info: NodeInfo, by: 1 | -1): void {
    for (const t of affinityTerms(other).requiredAnti) if (termMatches(t, pod, this.view)) bump(this.existingAnti, info, t, by);
  }
}

/** Pods that want to be, or not to be, where certain other pods are. */
export const interPodAffinity = (
  view: ClusterView,
  { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods }: PluginArgs['InterPodAffinity'] = defaultPluginArgs.InterPodAffinity,
): SchedulerPlugin => ({
  name: 'InterPodAffinity',
  weight: 2,
  events: [
    { resource: 'AssignedPod', action: 'add' },
    { resource: 'AssignedPod', action: 'update' },
    { resource: 'AssignedPod', action: 'delete' },
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update' },
    { resource: 'Pod', action: 'update' },
    { resource: 'Namespace', action: 'update' },
  ],
  preFilter(state, pod, nodes) {
    const snapshot = view.snapshot();
    const s = new FilterState(view);
    for (const info of snapshot.withRequiredAntiAffinity) for (const other of info.podsWithRequiredAntiAffinity) s.countExisting(pod, other, info, 1);
    const mine = affinityTerms(pod);
    const any = mine.required.length > 0 || mine.requiredAnti.length > 0;
    if (!any && s.existingAnti.size === 0) return { status: skip };
    if (any) for (const info of nodes) for (const other of info.pods) s.count(pod, other, info, 1);
    state.write(FILTER, s);
    return { status: success };
  },
  addPod(state, pod, added, node) {
    const s = state.read<FilterState>(FILTER);
    s?.count(pod, added, node, 1);
    s?.countExisting(pod, added, node, 1);
    return success;
  },
  removePod(state, pod, removed, node) {
    const s = state.read<FilterState>(FILTER);
    s?.count(pod, removed, node, -1);
    s?.countExisting(pod, removed, node, -1);
    return success;
  },
  filter(state, pod, info) {
    const s = state.read<FilterState>(FILTER);
    if (!s) return success;
    const mine = affinityTerms(pod);
    let together = true;
    for (const t of mine.required) {
      const d = domain(info, t.topologyKey);
      if (d === undefined) return NO_AFFINITY;
      if (!s.affinity.get(d)) together = false;
    }
    // The first pod of a group that wants to be together has nobody to be with yet.
    if (!together && !(s.affinity.size === 0 && mine.required.every((t) => termMatches(t, pod, view)))) return NO_AFFINITY;
    for (const t of mine.requiredAnti) {
      const d = domain(info, t.topologyKey);
      if (d !== undefined && (s.anti.get(d) ?? 0) > 0) return ANTI;
    }
    if (s.existingAnti.size > 0) {
      for (const [key, value] of Object.entries(info.node.metadata.labels ?? {})) if ((s.existingAnti.get(`${key}\0${value}`) ?? 0) > 0) return EXISTING_ANTI;
    }
    return success;
  },
  preScore(state, pod) {
    const mine = affinityTerms(pod);
    const prefers = mine.preferred.length > 0 || mine.preferredAnti.length > 0;
    const snapshot = view.snapshot();
    if (!prefers && (ignorePreferredTermsOfExistingPods || snapshot.withAffinity.length === 0)) return skip;
    const sums: Counts = new Map();
    const weigh = (info: NodeInfo, terms: readonly AffinityTerm[], about: Pod, sign: 1 | -1) => {
      for (const t of terms) if (termMatches(t, about, view)) bump(sums, info, t, sign * t.weight);
    };
    for (const info of prefers ? snapshot.nodes : snapshot.withAffinity) {
      for (const other of prefers ? info.pods : info.podsWithAffinity) {
        weigh(info, mine.preferred, other, 1);
        weigh(info, mine.preferredAnti, other, -1);
        const theirs = affinityTerms(other);
        weigh(info, theirs.preferred, pod, 1);
        weigh(info, theirs.preferredAnti, pod, -1);
        for (const t of theirs.required) if (termMatches(t, pod, view)) bump(sums, info, t, hardPodAffinityWeight);
      }
    }
    if (sums.size === 0) return skip;
    state.write(SCORE, sums);
    return success;
  },
  score(state, _pod, info) {
    const sums = state.read<Counts>(SCORE);
    const labels = info.node.metadata.labels;
    if (!sums || !labels) return 0;
    let total = 0;
    for (const key in labels) total += sums.get(`${key}\0${labels[key]}`) ?? 0;
    return total;
  },
  normalize(_state, _pod, _nodes, scores) {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const s of scores) {
      min = Math.min(min, s);
      max = Math.max(max, s);
    }
    const range = max - min;
    for (let i = 0; i < scores.length; i++) scores[i] = range > 0 ? Math.floor((MAX_NODE_SCORE * ((scores[i] as number) - min)) / range) : 0;
  },
});
