import { defaultFlowSchema, defaultPriorityLevel } from '../defaults/extensions.js';
import type { FlowSchema, PriorityLevelConfiguration } from '../generated/types.js';
import { validateFlowSchema, validatePriorityLevel } from '../validation/flowcontrol.js';
import type { StrategyParts } from './lifecycle.js';

export const flowSchemaStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultFlowSchema(object as FlowSchema),
  validate: (object) => validateFlowSchema(object as FlowSchema),
};

export const priorityLevelStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultPriorityLevel(object as PriorityLevelConfiguration),
  validate: (object) => validatePriorityLevel(object as PriorityLevelConfiguration),
};
