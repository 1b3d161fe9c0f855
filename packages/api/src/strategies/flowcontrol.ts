import { defaultFlowSchema, defaultPriorityLevel } from '../defaults/extensions.js';
import type { FlowSchema, PriorityLevelConfiguration } from '../generated/types.js';
import { validateFlowSchema, validateFlowSchemaStatus, validatePriorityLevel } from '../validation/flowcontrol.js';
import type { StatusStrategy, StrategyParts } from './lifecycle.js';

export const flowSchemaStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultFlowSchema(object as FlowSchema),
  validate: (object, old) => validateFlowSchema(object as FlowSchema, old as FlowSchema | undefined),
};

export const priorityLevelStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultPriorityLevel(object as PriorityLevelConfiguration),
  validate: (object) => validatePriorityLevel(object as PriorityLevelConfiguration),
};

/** Of both kinds. */
export const flowStatusStrategy: StatusStrategy = {
  validate: (object) => validateFlowSchemaStatus(object as FlowSchema),
};
