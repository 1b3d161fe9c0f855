import { defaultPriorityClass } from '../defaults/others.js';
import type { PriorityClass, RuntimeClass } from '../generated/types.js';
import { validatePriorityClass, validatePriorityClassUpdate, validateRuntimeClass, validateRuntimeClassUpdate } from '../validation/scheduling.js';
import type { StrategyParts } from './lifecycle.js';

export const priorityClassStrategy: StrategyParts = {
  // Of the generation nothing but its first is counted.
  generationOf: [],
  default: (object) => defaultPriorityClass(object as PriorityClass),
  validateNew: (object) => validatePriorityClass(object as PriorityClass),
  validateUpdate: (object, old) => validatePriorityClassUpdate(object as PriorityClass, old as PriorityClass),
};

export const runtimeClassStrategy: StrategyParts = {
  validate: (object) => validateRuntimeClass(object as RuntimeClass),
  validateUpdate: (object, old) => validateRuntimeClassUpdate(object as RuntimeClass, old as RuntimeClass),
  allowUnconditionalUpdate: false,
};
