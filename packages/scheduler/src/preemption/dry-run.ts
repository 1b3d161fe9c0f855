import type { Pod, PodDisruptionBudget } from '@coxswain/api';
import type { CycleState, NodeInfo, SchedulingStatus } from '@coxswain/sdk';
import { withPods } from '../cache/node-entry.js';
import { podFacts } from '../framework/pod-resources.js';
import { runFiltersWithNominated, type FilterOutcome, type FilterPlugin } from '../framework/run-filters.js';
import { unresolvable } from '../framework/status.js';
import { moreImportant, splitByBudget, type Candidate } from './victims.js';

export interface DryRun {
  readonly pod: Pod;
  readonly state: CycleState;
  readonly filters: readonly FilterPlugin[];
  readonly nominated: (node: string) => readonly Pod[];
  readonly budgets: (namespace: string) => Iterable<PodDisruptionBudget>;
}

const NO_VICTIMS = unresolvable('No preemption victims found for incoming pod');

/**
 * Which pods of the node would have to go for the pod to fit: all less important ones are taken away; if it fits then, as many
 * as possible are let back in, the most important first and those whose loss would break a budget before all others.
 */
export function victimsOn(run: DryRun, info: NodeInfo): Candidate | SchedulingStatus {
  const { pod, filters } = run;
  const name = info.node.metadata.name ?? '';
  const priority = podFacts(pod).priority;
  const out: FilterOutcome = { plugin: '' };
  const lower = info.pods.filter((p) => podFacts(p).priority < priority);
  if (lower.length === 0) return NO_VICTIMS;
  const state = run.state.clone();
  const gone = new Set(lower);
  const now = () =>
    withPods(
      info,
      info.pods.filter((p) => !gone.has(p)),
    );
  const fits = () => runFiltersWithNominated(filters, state, pod, now(), run.nominated(name), out);
  for (const p of lower) for (const f of filters) f.removePod?.(state, pod, p, info);
  const status = fits();
  if (status.code !== 'success') return status;
  const budgets = [...new Set(lower.map((p) => p.metadata.namespace ?? ''))].flatMap((ns) => [...run.budgets(ns)]);
  const { violating, fine } = splitByBudget([...lower].sort(moreImportant), budgets);
  const reprieve = (p: Pod): boolean => {
    gone.delete(p);
    for (const f of filters) f.addPod?.(state, pod, p, info);
    if (fits().code === 'success') return true;
    gone.add(p);
    for (const f of filters) f.removePod?.(state, pod, p, info);
    return false;
  };
  let budgetViolations = 0;
  for (const p of violating) if (!reprieve(p)) budgetViolations++;
  for (const p of fine) reprieve(p);
  return { node: name, victims: lower.filter((p) => gone.has(p)).sort(moreImportant), budgetViolations };
}
