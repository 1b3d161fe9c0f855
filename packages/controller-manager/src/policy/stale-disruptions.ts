import type { Pod } from '@coxswain/api';
import { formatTime, isNotFound, parseTime } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { isActive } from '../pods/pod-state.js';
import type { ControllerContext, KeyQueue, Outcome } from '../runtime/controller-context.js';

/** A pod that was to be disrupted and is not deleted after so long will not be. */
const STALE_AFTER_MS = 2 * 60_000;
const PREFIX = 'pod:';

/** How long until a pod's condition `DisruptionTarget` is stale, 0 when it is; undefined when it has none that could be. Pure. */
export function untilStale(pod: Pod, now: number): number | undefined {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  // A kubelet that ends a pod takes as long as it needs before the pod is deleted.
  if (!isActive(pod) || condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined;
  return Math.max(0, (parseTime(condition.lastTransitionTime ?? '') ?? 0) + STALE_AFTER_MS - now);
}

/** Takes conditions `DisruptionTarget` back that nothing came of. Its keys are told from those of budgets by `owns`. */
export function staleDisruptions({ client, informers, clock }: ControllerContext) {
  const pods = informers.informer(Resources.pods);
  return {
    owns: (key: string): boolean => key.startsWith(PREFIX),
    watch(queue: KeyQueue): () => void {
      const look = (pod: Pod) => {
        if (untilStale(pod, clock.now()) !== undefined) queue.add(`${PREFIX}${pod.metadata.namespace}/${pod.metadata.name}`);
      };
      return pods.addHandler({ add: look, update: (_old, pod) => look(pod) });
    },
    async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
      const { namespace, name } = splitKey(key.slice(PREFIX.length));
      const pod = pods.lister.get(name, namespace);
      const wait = pod && untilStale(pod, clock.now());
      if (!pod || wait === undefined) return undefined;
      if (wait > 0) return { requeueAfterMs: wait };
      const conditions = [{ type: 'DisruptionTarget', status: 'False', lastTransitionTime: formatTime(clock.now()) }];
      const { uid, resourceVersion } = pod.metadata;
      try {
        await client.api
          .pods(namespace)
          .patch(name, 'strategic', { metadata: { uid, resourceVersion }, status: { conditions } }, { subresource: 'status', signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}
