import type { HorizontalPodAutoscaler, HPAScalingRules } from '@coxswain/api';

/** A number of replicas at a time: wished for, or (signed) changed by. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly replicas: number;
}

export interface Reason {
  readonly reason: string;
  readonly message: string;
}

export interface Limited {
  readonly replicas: number;
  /** Of the condition AbleToScale: recent wishes are waited for. */
  readonly stabilized?: Reason;
  /** Of the condition ScalingLimited. */
  readonly limit: Reason;
}

const SCALE_UP_LIMIT = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' };
const SCALE_DOWN_LIMIT = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' };
const TOO_MANY = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' };
const TOO_FEW = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };
const WITHIN_RANGE = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
const SCALE_UP_STABILIZED = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const SCALE_DOWN_STABILIZED = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};

/** What was wished for and done of late. */
export interface History {
  readonly wishes: readonly Sample[];
  readonly changes: readonly Sample[];
  /** Milliseconds that a wish for fewer is remembered against, where the autoscaler does not say. */
  readonly downWindowMs: number;
}

/** A wish, calmed by recent wishes, held to the rates of `spec.behavior` and to the least and most replicas. */
export function limitReplicas(hpa: HorizontalPodAutoscaler, current: number, wanted: number, history: History, now: number): Limited {
  const { minReplicas: min = 1, maxReplicas: max = 1, behavior } = hpa.spec ?? {};
  const { wishes, changes, downWindowMs } = history;
  const since = (ms: number) => wishes.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas);
  const window = (rules: HPAScalingRules | undefined, usual: number) =>
    rules?.stabilizationWindowSeconds === undefined ? usual : rules.stabilizationWindowSeconds * 1000;
  if (!behavior) {
    const calm = Math.max(wanted, ...since(downWindowMs));
    const stabilized = calm === wanted ? {} : { stabilized: SCALE_DOWN_STABILIZED };
    const fastest = Math.max(2 * current, 4);
    if (calm < min) return { ...stabilized, replicas: min, limit: TOO_FEW };
    if (calm > Math.min(max, fastest)) return { ...stabilized, replicas: Math.min(max, fastest), limit: max > fastest ? SCALE_UP_LIMIT : TOO_MANY };
    return { ...stabilized, replicas: calm, limit: WITHIN_RANGE };
  }
  const floor = Math.min(wanted, ...since(window(behavior.scaleUp, 0)));
  const ceiling = Math.max(wanted, ...since(window(behavior.scaleDown, downWindowMs)));
  const calm = Math.min(Math.max(current, floor), Math.max(ceiling, floor));
  const stabilized = calm === wanted ? {} : { stabilized: wanted >= current ? SCALE_UP_STABILIZED : SCALE_DOWN_STABILIZED };
  if (calm > current) {
    const fastest = Math.max(current, rateLimit(behavior.scaleUp, current, changes, now, 1));
    const most = Math.min(max, fastest);
    if (calm > most) return { ...stabilized, replicas: most, limit: max > fastest ? SCALE_UP_LIMIT : TOO_MANY };
  } else if (calm < current) {
    const fastest = Math.min(current, rateLimit(behavior.scaleDown, current, changes, now, -1));
    const least = Math.max(min, fastest);
    if (calm < least) return { ...stabilized, replicas: least, limit: min < fastest ? SCALE_DOWN_LIMIT : TOO_FEW };
  }
  return { ...stabilized, replicas: calm, limit: WITHIN_RANGE };
}

/** How far the policies let it go in one direction (1: up), given what was changed within their periods. */
function rateLimit(rules: HPAScalingRules | undefined, current: number, changes: readonly Sample[], now: number, direction: 1 | -1): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const bounds = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changes.filter(({ at }) => at > now - periodSeconds * 1000).reduce((sum, { replicas }) => sum + replicas, 0);
    if (type === 'Pods') return start + direction * value;
    // Rounded up both ways would mean that it never shrinks; rounded down both ways, that it never grows.
    return direction > 0 ? Math.ceil(start * (1 + value / 100)) : Math.trunc(start * (1 - value / 100));
  });
  if (bounds.length === 0) return direction > 0 ? Number.POSITIVE_INFINITY : 0;
  const most = direction > 0 ? Math.max(...bounds) : Math.min(...bounds);
  const least = direction > 0 ? Math.min(...bounds) : Math.max(...bounds);
  return rules?.selectPolicy === 'Min' ? least : most;
}
