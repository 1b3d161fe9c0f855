import type { Pod } from '@coxswain/api';
import { createdAt, isReady, readySince, restarts } from '../pods/pod-state.js';

const PHASE: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const COST = 'controller.kubernetes.io/pod-deletion-cost';

const cost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.[COST];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
};

/** Times that differ by little are as good as equal: the age in powers of two. */
const age = (since: number, now: number): number => (since === 0 ? 0 : Math.floor(Math.log2(Math.max(1, now - since))));

/**
 * Who goes first when there are too many: not yet on a node, not running, not ready, cheap by annotation, crowded on their node
 * (`rank`: siblings there), ready for a short time, often restarted, young.
 */
export function byDeletionOrder(rank: (pod: Pod) => number, now: number): (a: Pod, b: Pod) => number {
  return (a, b) =>
    Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
    (PHASE[a.status?.phase ?? ''] ?? 0) - (PHASE[b.status?.phase ?? ''] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    cost(a) - cost(b) ||
    rank(b) - rank(a) ||
    (isReady(a) && isReady(b) ? age(readySince(a) ?? 0, now) - age(readySince(b) ?? 0, now) : 0) ||
    restarts(b) - restarts(a) ||
    age(createdAt(a), now) - age(createdAt(b), now) ||
    (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '');
}
