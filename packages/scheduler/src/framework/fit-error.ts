import type { SchedulingStatus } from '@coxswain/sdk';
import { reasonsOf } from './status.js';

/** Why a pod fits nowhere. */
export interface Diagnosis {
  readonly totalNodes: number;
  /** Node name → why not. Nodes that a preFilter plugin left out are here too. */
  readonly refused: ReadonlyMap<string, SchedulingStatus>;
  /** Set when a preFilter plugin refused the pod as a whole. */
  readonly preFilterMessage?: string;
  /** Plugins that refused it anywhere. */
  readonly plugins: ReadonlySet<string>;
}

/** `2 Insufficient cpu, 1 node(s) were unschedulable`: how often each reason was given, in upstream's order (as text). */
export function reasonHistogram(statuses: Iterable<SchedulingStatus>): string {
  const counts = new Map<string, number>();
  for (const s of statuses) for (const reason of reasonsOf(s)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, n]) => `${n} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join(', ');
}

/** The message of the PodScheduled condition and the FailedScheduling event (upstream `framework.FitError`). */
export function fitErrorMessage(d: Diagnosis, postFilterMessage?: string): string {
  if (d.totalNodes === 0) return 'no nodes available to schedule pods';
  let text = `0/${d.totalNodes} nodes are available:`;
  const why = d.preFilterMessage ?? reasonHistogram(d.refused.values());
  if (why !== '') text += ` ${why}.`;
  return postFilterMessage ? `${text} ${postFilterMessage}` : text;
}
