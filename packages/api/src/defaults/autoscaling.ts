import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, HPAScalingPolicy, HPAScalingRules } from '../generated/types.js';
import { setDefault } from './set-default.js';

export function defaultHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): void {
  if (!spec) return;
  setDefault(spec, 'minReplicas', 1);
  if ((spec.metrics ?? []).length === 0) {
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  }
  if (!spec.behavior) return;
  if (spec.behavior.scaleUp || spec.behavior.scaleDown) {
    spec.behavior.scaleUp = withRules(spec.behavior.scaleUp, [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ]);
    setDefault(spec.behavior.scaleUp, 'stabilizationWindowSeconds', 0);
    spec.behavior.scaleDown = withRules(spec.behavior.scaleDown, [{ type: 'Percent', value: 100, periodSeconds: 15 }]);
  }
}

const withRules = (rules: HPAScalingRules | undefined, policies: HPAScalingPolicy[]): HPAScalingRules => ({
  ...rules,
  selectPolicy: rules?.selectPolicy ?? 'Max',
  policies: rules?.policies?.length ? rules.policies : policies,
});

export function defaultHorizontalPodAutoscalerV1({ spec }: HorizontalPodAutoscalerV1): void {
  if (spec) setDefault(spec, 'minReplicas', 1);
}
