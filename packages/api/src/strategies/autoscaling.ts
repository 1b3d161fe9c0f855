import { defaultHorizontalPodAutoscaler, defaultHorizontalPodAutoscalerV1 } from '../defaults/autoscaling.js';
import { hpaFromV1 } from '../definitions/autoscaling/hpa-v1-conversion.js';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../generated/types.js';
import { validateHorizontalPodAutoscaler } from '../validation/autoscaling.js';
import type { StrategyParts } from './lifecycle.js';

export const horizontalPodAutoscalerStrategy: StrategyParts = {
  default: (object) => defaultHorizontalPodAutoscaler(object as HorizontalPodAutoscaler),
  validate: (object) => validateHorizontalPodAutoscaler(object as HorizontalPodAutoscaler),
};

export const horizontalPodAutoscalerV1Strategy: StrategyParts = {
  default: (object) => defaultHorizontalPodAutoscalerV1(object as HorizontalPodAutoscalerV1),
  validate: (object) => validateHorizontalPodAutoscaler(hpaFromV1(object) as HorizontalPodAutoscaler),
};
