import type { Pod, Taint, Toleration } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';

export function tolerates(t: Toleration, taint: Taint): boolean {
  if (t.effect && t.effect !== taint.effect) return false;
  if (t.key && t.key !== taint.key) return false;
  return t.operator === 'Exists' || (Boolean(t.key) && (t.value ?? '') === (taint.value ?? ''));
}

/**
 * When a pod must leave a node with these NoExecute taints: `never`, or milliseconds since the epoch (in the past: now). Each
 * taint is tolerated for as long as the longest of its tolerations; the shortest of these counts. A taint that does not say since
 * when it is there counts from `since`: when it was first seen.
 */
export const evictionTime = (pod: Pod, taints: readonly Taint[], since: number): number | 'never' => evictionTimeOf(pod.spec?.tolerations ?? [], taints, since);

/** The same for whatever has tolerations. */
export function evictionTimeOf(tolerations: readonly Toleration[], taints: readonly Taint[], since: number): number | 'never' {
  let earliest: number | 'never' = 'never';
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = tolerations.filter((t) => tolerates(t, taint));
    if (matching.length === 0) return 0;
    if (matching.some((t) => t.tolerationSeconds === undefined || t.tolerationSeconds === null)) continue;
    const seconds = Math.max(0, ...matching.map((t) => t.tolerationSeconds ?? 0));
    const at = (parseTime(taint.timeAdded ?? '') ?? since) + seconds * 1000;
    if (earliest === 'never' || at < earliest) earliest = at;
  }
  return earliest;
}
