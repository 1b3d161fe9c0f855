import type { PodDisruptionBudget } from '../generated/types.js';
import { validatePodDisruptionBudget } from '../validation/policy.js';
import type { StrategyParts } from './lifecycle.js';

export const podDisruptionBudgetStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validatePodDisruptionBudget(object as PodDisruptionBudget),
  allowUnconditionalUpdate: false,
};
