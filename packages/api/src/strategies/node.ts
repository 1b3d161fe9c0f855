import type { ResourceStrategy } from '../definition.js';
import { defaultNode } from '../defaults/core.js';
import type { Node } from '../generated/types.js';
import { nodeWarnings, validateNode, validateNodeUpdate } from '../validation/node.js';
import type { StrategyParts } from './lifecycle.js';

/** A node registers itself together with its status. */
export const nodeStrategy: StrategyParts = {
  default: (object) => defaultNode(object as Node),
  validate: (object) => validateNode(object as Node),
  validateUpdate: (object, old) => validateNodeUpdate(object as Node, old as Node),
  keepsStatusOnCreate: true,
  warnings: (object) => nodeWarnings(object as Node),
};

export const nodeStatusStrategy: ResourceStrategy = {
  default: (object) => defaultNode(object as Node),
  validate: (object) => validateNode(object as Node),
  validateUpdate: (object, old) => validateNodeUpdate(object as Node, old as Node),
};
