import type { HorizontalPodAutoscaler, HPAScalingRules } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';

/** Within this of the target nothing is done. */
export const TOLERANCE = 0.1;

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly replicas: number;
}

/** How many replicas a metric asks for: its ratio to the target times those that report it, none within tolerance. */
export function replicasFor(current: number, ready: number, ratio: number, missing = 0): number {
  if (Math.abs(1 - ratio) <= TOLERANCE) return current;
  // Pods without a figure count against the change: as idle when growing, as busy when shrinking.
  if (missing > 0) {
    const careful = ratio > 1 ? (ratio * ready) / (ready + missing) : (ratio * ready + missing) / (ready + missing);
    if (Math.abs(1 - careful) <= TOLERANCE || careful > 1 !== ratio > 1) return current;
    return Math.ceil(careful * (ready + missing));
  }
  return Math.ceil(ratio * ready);
}

const DEFAULT_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const DEFAULT_DOWN: HPAScalingRules = { stabilizationWindowSeconds: 300, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

export interface Limited {
  readonly replicas: number;
  /** Of the ScalingLimited condition. */
  readonly reason: string;
  readonly message: string;
}

/** Stabilised over recent wishes, held to the scaling policies and to min and max. `events`: changes made recently (signed). */
export function limitReplicas(
  hpa: HorizontalPodAutoscaler,
  current: number,
  wanted: number,
  wishes: readonly Sample[],
  events: readonly Sample[],
  now: number,
): Limited {
  const up = { ...DEFAULT_UP, ...hpa.spec?.behavior?.scaleUp };
  const down = { ...DEFAULT_DOWN, ...hpa.spec?.behavior?.scaleDown };
  const within = (rules: HPAScalingRules) => wishes.filter((w) => w.at >= now - (rules.stabilizationWindowSeconds ?? 0) * 1000).map((w) => w.replicas);
  const floor = Math.min(wanted, ...within(up));
  const ceiling = Math.max(wanted, ...within(down));
  let target = Math.min(Math.max(current, floor), Math.max(ceiling, floor));
  const min = hpa.spec?.minReplicas ?? 1;
  const max = hpa.spec?.maxReplicas ?? 1;
  let reason = 'DesiredWithinRange';
  let message = 'the desired count is within the acceptable range';
  const rules = target > current ? up : down;
  if (target !== current && rules.selectPolicy === 'Disabled')
    return { replicas: current, reason: 'ScalingDisabled', message: 'scaling in this direction is disabled' };
  const bounds = (rules.policies ?? []).map((p) => {
    const recent = events
      .filter((e) => e.at >= now - p.periodSeconds * 1000 && Math.sign(e.replicas) === Math.sign(target - current))
      .reduce((n, e) => n + e.replicas, 0);
    const start = current - recent;
    if (target > current) return p.type === 'Pods' ? start + p.value : Math.ceil(start * (1 + p.value / 100));
    return p.type === 'Pods' ? start - p.value : Math.ceil(start * (1 - p.value / 100));
  });
  if (target > current && bounds.length > 0) {
    const limit = Math.max(current, rules.selectPolicy === 'Min' ? Math.min(...bounds) : Math.max(...bounds));
    if (target > limit) [target, reason, message] = [limit, 'ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate'];
  } else if (target < current && bounds.length > 0) {
    const limit = Math.min(current, rules.selectPolicy === 'Min' ? Math.max(...bounds) : Math.min(...bounds));
    if (target < limit) [target, reason, message] = [limit, 'ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate'];
  }
  if (target > max) return { replicas: max, reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' };
  if (target < min) return { replicas: min, reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };
  return { replicas: target, reason, message };
}

export const lastScaled = (hpa: HorizontalPodAutoscaler): number | undefined => parseTime(hpa.status?.lastScaleTime ?? '');
