import type { Pod } from '@coxswain/api';
import type { Logger } from '@coxswain/sdk';
import { podName } from '../framework/pod-key.js';
import type { Candidate } from '../preemption/victims.js';
import type { Extender } from './extender.js';

/** What extenders leave of the candidates, one after the other. Rejects when one fails that may not be ignored. */
export async function preemptByExtenders(
  extenders: readonly Extender[],
  pod: Pod,
  candidates: readonly Candidate[],
  podsOn: (node: string) => readonly Pod[] | undefined,
  signal: AbortSignal,
  logger: Logger,
): Promise<readonly Candidate[]> {
  let left = candidates;
  for (const extender of extenders) {
    if (left.length === 0) break;
    if (!extender.preempts || !extender.interestedIn(pod)) continue;
    try {
      const chosen = await extender.preempt(pod, left, podsOn, signal);
      const empty = chosen.find((c) => c.victims.length === 0);
      if (empty && !extender.ignorable) throw new Error(`expected at least one victim pod on node ${JSON.stringify(empty.node)}`);
      left = empty ? chosen.filter((c) => c.victims.length > 0) : chosen;
    } catch (error) {
      if (!extender.ignorable) throw error;
      logger.warn('an extender that may be ignored did not take part in preemption', { extender: extender.name, pod: podName(pod), err: error });
    }
  }
  return left;
}

/** Whether an extender has bound the pod; otherwise bind plugins do. Rejects when it failed and may not be ignored. */
export async function bindByExtenders(extenders: readonly Extender[], pod: Pod, node: string, signal: AbortSignal, logger: Logger): Promise<boolean> {
  for (const extender of extenders) {
    if (!extender.binds || !extender.interestedIn(pod)) continue;
    try {
      await extender.bind(pod, node, signal);
      return true;
    } catch (error) {
      if (!extender.ignorable) throw error;
      logger.warn('an extender that may be ignored did not bind', { extender: extender.name, pod: podName(pod), node, err: error });
    }
  }
  return false;
}
