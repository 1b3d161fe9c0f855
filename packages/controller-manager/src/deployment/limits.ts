import type { Deployment } from '@coxswain/api';
import { scaledValue } from '../runtime/int-or-percent.js';

/** How many pods too many, and too few, a rolling update may have. */
export interface RolloutLimits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Percentages resolved: surge rounds up, unavailable down; they are never both zero. A Recreate has neither: it is available when all its pods are. */
export function rolloutLimits(d: Deployment): RolloutLimits {
  const replicas = d.spec?.replicas ?? 1;
  if (d.spec?.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const rolling = d.spec?.strategy?.rollingUpdate;
  const maxSurge = scaledValue(rolling?.maxSurge ?? '25%', replicas, 'up');
  let maxUnavailable = scaledValue(rolling?.maxUnavailable ?? '25%', replicas, 'down');
  if (maxSurge === 0 && maxUnavailable === 0) maxUnavailable = 1;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}
