import type { HorizontalPodAutoscaler } from '@coxswain/api';
import { quantityMilliValue } from '@coxswain/api';

/** How far a metric may be from its target before anything is done: shares of the target, in each direction. */
export interface Tolerance {
  readonly up: number;
  readonly down: number;
}

/** What the autoscaler says, or what is usual. */
export function toleranceOf({ spec }: HorizontalPodAutoscaler, usual: number): Tolerance {
  const of = (text: string | undefined) => (text === undefined ? usual : quantityMilliValue(text) / 1000);
  return { up: of(spec?.behavior?.scaleUp?.tolerance), down: of(spec?.behavior?.scaleDown?.tolerance) };
}

/** Whether a ratio of use to target is near enough to 1. */
export const isTolerable = (ratio: number, { up, down }: Tolerance): boolean => ratio >= 1 - down && ratio <= 1 + up;
