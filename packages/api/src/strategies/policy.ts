import type { ResourceStrategy } from '../definition.js';
import type { PodDisruptionBudget } from '../generated/types.js';
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatus } from '../validation/policy.js';
import type { StrategyParts } from './lifecycle.js';

export const podDisruptionBudgetStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validatePodDisruptionBudget(object as PodDisruptionBudget),
  allowUnconditionalUpdate: false,
};

export const podDisruptionBudgetStatusStrategy: ResourceStrategy = {
  validateUpdate: (object) => validatePodDisruptionBudgetStatus(object as PodDisruptionBudget),
  allowUnconditionalUpdate: false,
};
