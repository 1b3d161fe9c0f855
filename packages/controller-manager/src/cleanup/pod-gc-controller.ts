import type { Pod } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import { createdAt, isFinished } from '../pods/pod-state.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const PERIOD_MS = 20_000;
const QUARANTINE_MS = 40_000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Pods that nobody will ever finish: of nodes that are gone, deleted before they had a node, or finished and too many. */
export function podGcController({ client, informers, clock, config, logger }: ControllerContext): Controller {
  const pods = informers.informer(Resources.pods);
  const nodes = informers.informer(Resources.nodes);
  /** Node name → monotonic time since when it has been missing. */
  const missing = new Map<string, number>();

  async function remove(pod: Pod, message: string | undefined, signal: AbortSignal): Promise<void> {
    const api = client.api.pods(pod.metadata.namespace);
    const name = pod.metadata.name ?? '';
    try {
      if (message !== undefined && !isFinished(pod)) {
        const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message, lastTransitionTime: formatTime(clock.now()) };
        await api.patch(
          name,
          'strategic',
          { metadata: { uid: pod.metadata.uid }, status: { phase: 'Failed', conditions: [condition] } },
          { subresource: 'status', signal },
        );
      }
      await api.delete(name, { gracePeriodSeconds: 0, signal, ...(pod.metadata.uid && { preconditions: { uid: pod.metadata.uid } }) });
    } catch (error) {
      if (!isNotFound(error)) logger.warn('could not remove a pod', { pod: name, err: error });
    }
  }

  async function orphansOf(all: readonly Pod[], signal: AbortSignal): Promise<Pod[]> {
    const now = clock.monotonic();
    const absent = new Set(all.map((p) => p.spec?.nodeName).filter((n): n is string => Boolean(n) && !nodes.lister.get(n as string)));
    for (const n of missing.keys()) if (!absent.has(n)) missing.delete(n);
    const gone = new Set<string>();
    for (const n of absent) {
      const since = missing.get(n);
      if (since === undefined) missing.set(n, now);
      else if (now - since >= QUARANTINE_MS && !(await exists(n, signal))) gone.add(n);
    }
    return all.filter((p) => gone.has(p.spec?.nodeName ?? ''));
  }

  async function exists(node: string, signal: AbortSignal): Promise<boolean> {
    try {
      await client.api.nodes().get(node, { signal });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  return {
    name: 'pod-garbage-collector',
    concurrency: 1,
    watch: () => () => {},
    begin(queue) {
      queue.add('round');
      return () => {};
    },
    async reconcile(_key, signal) {
      const all = pods.lister.list();
      const surplus = config.terminatedPodGCThreshold <= 0 ? [] : all.filter(isFinished).sort((a, b) => createdAt(a) - createdAt(b));
      for (const p of surplus.slice(0, Math.max(0, surplus.length - config.terminatedPodGCThreshold))) await remove(p, undefined, signal);
      for (const p of all) {
        if (!p.metadata.deletionTimestamp) continue;
        const node = p.spec?.nodeName ? nodes.lister.get(p.spec.nodeName) : undefined;
        const outOfService =
          node?.spec?.taints?.some((t) => t.key === OUT_OF_SERVICE) && node.status?.conditions?.find((c) => c.type === 'Ready')?.status !== 'True';
        if (!p.spec?.nodeName || outOfService) await remove(p, outOfService ? 'PodGC: node is out of service' : undefined, signal);
      }
      for (const p of await orphansOf(all, signal)) await remove(p, 'PodGC: node no longer exists', signal);
      return { requeueAfterMs: PERIOD_MS };
    },
  };
}
