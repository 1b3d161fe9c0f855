import type { Pod } from '@coxswain/api';
import type { CycleState, NodeInfo, SchedulerPlugin, SchedulingStatus } from '@coxswain/sdk';
import { success } from '@coxswain/sdk';
import { withPods } from '../cache/node-entry.js';
import { podKey } from './pod-key.js';
import { podFacts } from './pod-resources.js';

export type FilterPlugin = SchedulerPlugin & Required<Pick<SchedulerPlugin, 'filter'>>;

/** Told which plugin refused; an object instead of a tuple result keeps the loop free of allocation. */
export interface FilterOutcome {
  plugin: string;
}

/** The first refusal, or success. */
export function runFilters(filters: readonly FilterPlugin[], state: CycleState, pod: Pod, node: NodeInfo, out: FilterOutcome): SchedulingStatus {
  for (let i = 0; i < filters.length; i++) {
    const plugin = filters[i] as FilterPlugin;
    const status = plugin.filter(state, pod, node);
    if (status.code !== 'success') {
      out.plugin = plugin.name;
      return status;
    }
  }
  return success;
}

/**
 * As `runFilters`, but pods that were promised room on the node by preemption, and are as important as this one, count as if
 * they were there; and because they may never come, the pod must fit without them too.
 */
export function runFiltersWithNominated(
  filters: readonly FilterPlugin[],
  state: CycleState,
  pod: Pod,
  node: NodeInfo,
  nominated: readonly Pod[],
  out: FilterOutcome,
): SchedulingStatus {
  if (nominated.length > 0) {
    const priority = podFacts(pod).priority;
    const key = podKey(pod);
    const coming = nominated.filter((p) => podKey(p) !== key && podFacts(p).priority >= priority);
    if (coming.length > 0) {
      const crowded = withPods(node, [...node.pods, ...coming]);
      const what = state.clone();
      for (const p of coming) for (const f of filters) f.addPod?.(what, pod, p, crowded);
      const status = runFilters(filters, what, pod, crowded, out);
      if (status.code !== 'success') return status;
    }
  }
  return runFilters(filters, state, pod, node, out);
}
