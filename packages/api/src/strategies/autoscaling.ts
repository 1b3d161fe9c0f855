import { defaultHorizontalPodAutoscaler, defaultHorizontalPodAutoscalerV1 } from '../defaults/autoscaling.js';
import type { KubeObject, ResourceStrategy } from '../definition.js';
import { hpaFromV1 } from '../definitions/autoscaling/hpa-v1-conversion.js';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../generated/types.js';
import { validateHorizontalPodAutoscaler, validateHorizontalPodAutoscalerStatus } from '../validation/autoscaling.js';
import type { StrategyParts } from './lifecycle.js';

export const horizontalPodAutoscalerStrategy: StrategyParts = {
  default: (object) => defaultHorizontalPodAutoscaler(object as HorizontalPodAutoscaler),
  validate: (object, old) => validateHorizontalPodAutoscaler(object as HorizontalPodAutoscaler, old as HorizontalPodAutoscaler | undefined),
};

const inV2 = (object: KubeObject): HorizontalPodAutoscaler => hpaFromV1(object) as HorizontalPodAutoscaler;

export const horizontalPodAutoscalerV1Strategy: StrategyParts = {
  default: (object) => defaultHorizontalPodAutoscalerV1(object as HorizontalPodAutoscalerV1),
  validate: (object, old) => validateHorizontalPodAutoscaler(inV2(object), old && inV2(old)),
};

/** The numbers have the same names in both versions. */
export const horizontalPodAutoscalerStatusStrategy: ResourceStrategy = {
  validateUpdate: (object) => validateHorizontalPodAutoscalerStatus(object as HorizontalPodAutoscaler),
};
