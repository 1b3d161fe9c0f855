import type { Taint, Toleration } from '@coxswain/api';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterView } from '../framework/handle.js';
import { unresolvable, type Refusal } from '../framework/status.js';
import { normalizeByMax } from './normalize.js';
import { toleratesAny } from './tolerations.js';

const PREFERRED = Symbol('TaintToleration');
const refusals = new Map<string, Refusal>();

function refusal(taint: Taint): Refusal {
  const reason = `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  let r = refusals.get(reason);
  if (!r) {
    if (refusals.size > 1000) refusals.clear();
    refusals.set(reason, (r = unresolvable(reason)));
  }
  return r;
}

/** NoSchedule and NoExecute taints keep pods off; PreferNoSchedule ones cost points. */
export const taintToleration = (view: ClusterView): SchedulerPlugin => ({
  name: 'TaintToleration',
  weight: 3,
  events: [
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update' },
    { resource: 'Pod', action: 'update' },
  ],
  sign: (pod) => JSON.stringify(pod.spec?.tolerations ?? []),
  filter(_state, pod, { node }) {
    const taints = node.spec?.taints;
    if (!taints) return success;
    for (const taint of taints) {
      if (taint.effect !== 'PreferNoSchedule' && !toleratesAny(pod.spec?.tolerations, taint)) return refusal(taint);
    }
    return success;
  },
  preScore(state, pod, nodes) {
    if (!view.snapshot().anyPreferNoSchedule || !nodes.some((n) => n.node.spec?.taints?.some((t) => t.effect === 'PreferNoSchedule'))) return skip;
    state.write<readonly Toleration[]>(
      PREFERRED,
      (pod.spec?.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule'),
    );
    return success;
  },
  score(state, _pod, { node }) {
    const tolerations = state.read<readonly Toleration[]>(PREFERRED);
    let n = 0;
    for (const t of node.spec?.taints ?? []) if (t.effect === 'PreferNoSchedule' && !toleratesAny(tolerations, t)) n++;
    return n;
  },
  normalize: (_state, _pod, _nodes, scores) => normalizeByMax(scores, true),
});
