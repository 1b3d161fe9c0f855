import type { Pod, PodDisruptionBudget } from '@coxswain/api';
import { labelSelectorFromObject, parseTime } from '@coxswain/apimachinery';
import { podFacts } from '../framework/pod-resources.js';

/** What making room on a node would cost. */
export interface Candidate {
  readonly node: string;
  readonly victims: readonly Pod[];
  readonly budgetViolations: number;
}

export const startTime = (pod: Pod): number => parseTime(pod.status?.startTime ?? '') ?? Number.POSITIVE_INFINITY;

/** More important: higher priority, then longer running. */
export function moreImportant(a: Pod, b: Pod): number {
  return podFacts(b).priority - podFacts(a).priority || startTime(a) - startTime(b) || 0;
}

/** Pods whose eviction would break a disruption budget, and the rest; each eviction uses up its budgets. */
export function splitByBudget(pods: readonly Pod[], budgets: Iterable<PodDisruptionBudget>): { readonly violating: Pod[]; readonly fine: Pod[] } {
  const left = [...budgets].map((b) => ({
    namespace: b.metadata.namespace,
    selector: labelSelectorFromObject(b.spec?.selector),
    allowed: b.status?.disruptionsAllowed ?? 0,
    disrupted: b.status?.disruptedPods ?? {},
  }));
  const violating: Pod[] = [];
  const fine: Pod[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const b of left) {
      if (b.namespace !== pod.metadata.namespace || b.selector.isEmpty || !b.selector.matches(pod.metadata.labels)) continue;
      if (pod.metadata.name !== undefined && pod.metadata.name in b.disrupted) continue;
      if (--b.allowed < 0) violates = true;
    }
    (violates ? violating : fine).push(pod);
  }
  return { violating, fine };
}

const highest = (c: Candidate): number => c.victims.reduce((m, v) => Math.max(m, podFacts(v).priority), Number.NEGATIVE_INFINITY);
// Offset, so that many victims of negative priority weigh more than few.
const sum = (c: Candidate): number => c.victims.reduce((s, v) => s + podFacts(v).priority + 2 ** 31, 0);
const earliestOfHighest = (c: Candidate): number => {
  const top = highest(c);
  return Math.min(...c.victims.filter((v) => podFacts(v).priority === top).map(startTime));
};

/**
 * The cheapest candidate, by upstream's rules in turn: fewest budget violations, lowest highest priority, lowest sum of
 * priorities, fewest victims, latest start of the most important victim; then the first.
 */
export function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  const order = (a: Candidate, b: Candidate): number =>
    a.budgetViolations - b.budgetViolations ||
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    earliestOfHighest(b) - earliestOfHighest(a) ||
    0;
  let best: Candidate | undefined;
  for (const c of candidates) {
    if (c.victims.length === 0) return c;
    if (!best || order(c, best) < 0) best = c;
  }
  return best;
}
