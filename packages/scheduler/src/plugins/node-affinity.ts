import type { NodeAffinity, Pod, PreferredSchedulingTerm } from '@coxswain/api';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import { unresolvable } from '../framework/status.js';
import { compileNodeSelector, compileNodeSelectorTerm, type NodeMatcher } from './node-selector.js';
import { normalizeByMax } from './normalize.js';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.js';

const REFUSED = unresolvable("node(s) didn't match Pod's node affinity/selector");
const REFUSED_BY_ADDED = unresolvable("node(s) didn't match scheduler-enforced node affinity");

interface Compiled {
  /** Undefined: any node will do. */
  readonly required: NodeMatcher | undefined;
  readonly preferred: readonly { readonly weight: number; readonly matches: NodeMatcher }[];
}

const compiled = new WeakMap<Pod, Compiled>();

function compile(pod: Pod): Compiled {
  let c = compiled.get(pod);
  if (c) return c;
  const affinity = pod.spec?.affinity?.nodeAffinity;
  const tests: NodeMatcher[] = [];
  const wanted = Object.entries(pod.spec?.nodeSelector ?? {});
  if (wanted.length > 0) tests.push((n) => wanted.every(([k, v]) => n.metadata.labels?.[k] === v));
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required) tests.push(compileNodeSelector(required));
  c = {
    required: tests.length === 0 ? undefined : (n) => tests.every((t) => t(n)),
    preferred: compilePreferred(affinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
  compiled.set(pod, c);
  return c;
}

const compilePreferred = (terms: readonly PreferredSchedulingTerm[] = []): Compiled['preferred'] =>
  terms.filter((p) => p.weight !== 0).map((p) => ({ weight: p.weight, matches: compileNodeSelectorTerm(p.preference) }));

/** What the configuration adds to every pod's affinity. */
function compileAdded(affinity: NodeAffinity | undefined): Compiled {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return { required: required && compileNodeSelector(required), preferred: compilePreferred(affinity?.preferredDuringSchedulingIgnoredDuringExecution) };
}

/** Whether the pod's nodeSelector and required node affinity allow the node. */
export function matchesRequiredNodeAffinity(pod: Pod, node: Parameters<NodeMatcher>[0]): boolean {
  const { required } = compile(pod);
  return !required || required(node);
}

/** The nodes a required affinity pins by name in every term (daemon pods), so that only those are looked at. */
function pinnedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms || terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const term of terms) {
    const pin = term.matchFields?.find((f) => f.key === 'metadata.name' && f.operator === 'In');
    if (!pin) return undefined;
    for (const v of pin.values ?? []) all.add(v);
  }
  return all;
}

/** `nodeSelector` and node affinity, required and preferred. */
export function nodeAffinity({ addedAffinity }: PluginArgs['NodeAffinity'] = defaultPluginArgs.NodeAffinity): SchedulerPlugin {
  const added = compileAdded(addedAffinity);
  return {
    name: 'NodeAffinity',
    weight: 2,
    events: [
      { resource: 'Node', action: 'add' },
      { resource: 'Node', action: 'update' },
      { resource: 'Pod', action: 'update' },
    ],
    sign: ({ spec }) => (spec?.nodeSelector || spec?.affinity?.nodeAffinity ? JSON.stringify([spec.nodeSelector, spec.affinity?.nodeAffinity]) : ''),
    preFilter(_state, pod) {
      if (!compile(pod).required && !added.required) return { status: skip };
      const nodes = pinnedNodes(pod);
      return nodes ? { status: success, nodes } : { status: success };
    },
    filter(_state, pod, { node }) {
      if (added.required && !added.required(node)) return REFUSED_BY_ADDED;
      return matchesRequiredNodeAffinity(pod, node) ? success : REFUSED;
    },
    preScore: (_state, pod) => (compile(pod).preferred.length + added.preferred.length === 0 ? skip : success),
    score(_state, pod, { node }) {
      let sum = 0;
      for (const p of added.preferred) if (p.matches(node)) sum += p.weight;
      for (const p of compile(pod).preferred) if (p.matches(node)) sum += p.weight;
      return sum;
    },
    normalize: (_state, _pod, _nodes, scores) => normalizeByMax(scores, false),
  };
}
