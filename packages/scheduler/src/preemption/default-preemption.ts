import type { Pod } from '@coxswain/api';
import type { NodeInfo, SchedulerPlugin, SchedulingStatus } from '@coxswain/sdk';
import { preemptByExtenders } from '../extenders/preempt-and-bind.js';
import { reasonHistogram } from '../framework/fit-error.js';
import type { SchedulerHandle } from '../framework/handle.js';
import { podKey } from '../framework/pod-key.js';
import { podFacts } from '../framework/pod-resources.js';
import { unresolvable } from '../framework/status.js';
import type { FilterPlugin } from '../framework/run-filters.js';
import { defaultPluginArgs, type PluginArgs } from '../plugins/plugin-args.js';
import { victimsOn } from './dry-run.js';
import { cheapest, type Candidate } from './victims.js';

/** The filters of the cycle that failed; written by the scheduler for postFilter. */
export const CYCLE_FILTERS = Symbol('cycle filters');

const NOT_HELPFUL = unresolvable('Preemption is not helpful for scheduling');

const isCandidate = (c: Candidate | SchedulingStatus): c is Candidate => 'victims' in c;

/** A pod that fits nowhere may drive out less important ones; it is then nominated for the node they leave. */
export const defaultPreemption = (
  { view, actions, random, extenders, logger }: SchedulerHandle,
  args: PluginArgs['DefaultPreemption'] = defaultPluginArgs.DefaultPreemption,
): SchedulerPlugin => {
  /** Why the pod may not preempt (again), or undefined. */
  const ineligible = (pod: Pod, refused: ReadonlyMap<string, SchedulingStatus>): string | undefined => {
    if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
    const nominated = pod.status?.nominatedNodeName;
    if (!nominated || refused.get(nominated)?.code === 'unresolvable') return undefined;
    const leaving = view
      .snapshot()
      .get(nominated)
      ?.pods.some((p) => podFacts(p).priority < podFacts(pod).priority && view.isLeavingByPreemption(p));
    return leaving ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
  };

  return {
    name: 'DefaultPreemption',
    events: [],
    async postFilter(state, pod, refused, signal) {
      const reason = ineligible(pod, refused);
      if (reason) return { message: `preemption: ${reason}` };
      const nodes = view.snapshot().nodes;
      const filters = state.read<readonly FilterPlugin[]>(CYCLE_FILTERS) ?? [];
      const statuses = new Map<string, SchedulingStatus>();
      const potential: NodeInfo[] = [];
      for (const info of nodes) {
        const name = info.node.metadata.name ?? '';
        if (refused.get(name)?.code === 'unschedulable') potential.push(info);
        else statuses.set(name, NOT_HELPFUL);
      }
      const wanted = Math.min(
        potential.length,
        Math.max(args.minCandidateNodesAbsolute, Math.floor((potential.length * args.minCandidateNodesPercentage) / 100)),
      );
      const candidates: Candidate[] = [];
      const offset = potential.length === 0 ? 0 : random.int(potential.length);
      const run = { pod, state, filters, nominated: (n: string) => view.nominatedPods(n), budgets: (ns: string) => view.disruptionBudgets(ns) };
      for (let i = 0; i < potential.length && candidates.length < wanted; i++) {
        const info = potential[(offset + i) % potential.length] as NodeInfo;
        const outcome = victimsOn(run, info);
        if (isCandidate(outcome)) candidates.push(outcome);
        else statuses.set(info.node.metadata.name ?? '', outcome);
      }
      const left = await preemptByExtenders(extenders, pod, candidates, (name) => view.snapshot().get(name)?.pods, signal, logger);
      const best = cheapest(left);
      if (!best) {
        const why = reasonHistogram(statuses.values());
        return { message: `preemption: 0/${nodes.length} nodes are available${why === '' ? '' : `: ${why}`}.` };
      }
      await Promise.all(best.victims.map((v) => actions.evict(v, pod, best.node, signal)));
      const outbid = view.nominatedPods(best.node).filter((p) => podKey(p) !== podKey(pod) && podFacts(p).priority < podFacts(pod).priority);
      await Promise.all(outbid.map((p) => actions.clearNomination(p, signal)));
      return { nominatedNode: best.node };
    },
  };
};
