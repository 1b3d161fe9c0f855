import type { Pod } from '@coxswain/api';
import type { Logger, NodeInfo, SchedulingStatus } from '@coxswain/sdk';
import { chooseNode, findNodes, type CycleInput, type CycleResult, type FoundNodes } from '../framework/cycle.js';
import { podName } from '../framework/pod-key.js';
import { EXTENDERS, type Extender } from './extender.js';

/** As `scheduleCycle`, with extenders that narrow what the plugins found, and add to their scores. */
export async function scheduleExtendedCycle(input: CycleInput, extenders: readonly Extender[], signal: AbortSignal, logger: Logger): Promise<CycleResult> {
  const found = findNodes(input);
  if (found.type !== 'feasible') return found;
  const interested = extenders.filter((e) => e.interestedIn(input.pod));
  const { pod } = input;
  let { nodes } = found;
  const refused = new Map(found.refused);
  for (const extender of interested) {
    if (nodes.length === 0) break;
    try {
      nodes = await narrow(extender, pod, nodes, refused, signal);
    } catch (error) {
      if (!extender.ignorable) return { type: 'error', error: error as Error, plugin: EXTENDERS };
      logger.warn('an extender that may be ignored did not filter', { extender: extender.name, pod: podName(pod), err: error });
    }
  }
  if (nodes.length === 0 && found.nominated) return scheduleExtendedCycle({ ...input, ignoreNomination: true }, extenders, signal, logger);
  if (nodes.length === 0) {
    const { filters, nextStart } = found;
    const diagnosis = { totalNodes: found.totalNodes, refused, plugins: new Set([...found.plugins, EXTENDERS]) };
    return { type: 'unschedulable', diagnosis, filters, nextStart };
  }
  // As upstream: where there is no choice nobody is asked for scores.
  const bonus = nodes.length === 1 ? undefined : await scores(interested, pod, nodes, signal, logger);
  return chooseNode(input, { ...found, nodes, judged: undefined } satisfies FoundNodes, bonus);
}

/** The nodes that are left; what is said of the others goes to `refused`, where what preemption cannot help wins. */
async function narrow(
  extender: Extender,
  pod: Pod,
  nodes: readonly NodeInfo[],
  refused: Map<string, SchedulingStatus>,
  signal: AbortSignal,
): Promise<NodeInfo[]> {
  const result = await extender.filter(
    pod,
    nodes.map((n) => n.node),
    signal,
  );
  for (const [name, reason] of Object.entries(result.failed)) refused.set(name, { code: 'unschedulable', reason });
  for (const [name, reason] of Object.entries(result.failedForGood)) refused.set(name, { code: 'unresolvable', reason });
  const left = new Set(result.nodes);
  return nodes.filter((n) => left.has(n.node.metadata.name ?? ''));
}

/** What extenders add to each node's score. One that fails adds nothing, ignorable or not. */
async function scores(extenders: readonly Extender[], pod: Pod, nodes: readonly NodeInfo[], signal: AbortSignal, logger: Logger): Promise<Float64Array> {
  const bonus = new Float64Array(nodes.length);
  const asked = nodes.map((n) => n.node);
  await Promise.all(
    extenders.map(async (extender) => {
      try {
        const given = await extender.prioritize(pod, asked, signal);
        for (let i = 0; i < asked.length; i++) (bonus[i] as number) += given.get(asked[i]?.metadata.name ?? '') ?? 0;
      } catch (error) {
        logger.warn('an extender gave no scores', { extender: extender.name, pod: podName(pod), err: error });
      }
    }),
  );
  return bonus;
}
