import type { FieldError } from '../field-error.js';
import type { PodDisruptionBudget } from '../generated/types.js';
import { nonNegative, notMoreThan100Percent, optionalEnum, validateIntOrPercent, validateLabelSelector } from './common.js';
import { validateConditions } from './conditions.js';
import { invalid } from './errors.js';

export function validatePodDisruptionBudget({ spec }: PodDisruptionBudget): FieldError[] {
  if (!spec) return [];
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const key of ['minAvailable', 'maxUnavailable'] as const) {
    errors.push(...validateIntOrPercent(spec[key], `spec.${key}`), ...notMoreThan100Percent(spec[key], `spec.${key}`));
  }
  return [
    ...errors,
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...optionalEnum(spec.unhealthyPodEvictionPolicy, 'spec.unhealthyPodEvictionPolicy', ['AlwaysAllow', 'IfHealthyBudget']),
  ];
}

export const validatePodDisruptionBudgetStatus = ({ status = {} }: PodDisruptionBudget): FieldError[] => [
  ...validateConditions(status.conditions, 'status.conditions'),
  ...(['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap((key) => nonNegative(status[key], `status.${key}`)),
];
