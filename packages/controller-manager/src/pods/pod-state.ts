import type { Pod } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';

export const isFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Neither finished nor on its way out. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp;

export const isTerminating = (pod: Pod): boolean => !isFinished(pod) && Boolean(pod.metadata.deletionTimestamp);

const readyCondition = (pod: Pod) => pod.status?.conditions?.find((c) => c.type === 'Ready');

export const isReady = (pod: Pod): boolean => readyCondition(pod)?.status === 'True';

/** Milliseconds since the epoch it became ready; undefined when it is not. */
export function readySince(pod: Pod): number | undefined {
  const c = readyCondition(pod);
  return c?.status === 'True' ? parseTime(c.lastTransitionTime ?? '') : undefined;
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  if (!isReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = readySince(pod);
  return since !== undefined && since + minReadySeconds * 1000 <= now;
}

/** Until the first ready pod that is not yet available will be; undefined: nothing to wait for. */
export function untilAvailable(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const waits = pods.filter((p) => isReady(p) && !isAvailable(p, minReadySeconds, now)).map((p) => (readySince(p) ?? now) + minReadySeconds * 1000 - now);
  return waits.length > 0 ? Math.max(1, Math.min(...waits)) : undefined;
}

export const restarts = (pod: Pod): number => Math.max(0, ...(pod.status?.containerStatuses ?? []).map((s) => s.restartCount ?? 0));
export const createdAt = (object: { readonly metadata: { readonly creationTimestamp?: string } }): number =>
  parseTime(object.metadata.creationTimestamp ?? '') ?? 0;
