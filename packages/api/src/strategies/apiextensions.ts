import type { ResourceStrategy } from '../definition.js';
import { defaultCustomResourceDefinition } from '../defaults/extensions.js';
import type { CustomResourceDefinition } from '../generated/types.js';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatusUpdate,
  validateCustomResourceDefinitionUpdate,
} from '../validation/custom-resource-definition.js';
import type { StrategyParts } from './lifecycle.js';

export const customResourceDefinitionStrategy: StrategyParts = {
  generationOf: ['spec'],
  default: (object) => defaultCustomResourceDefinition(object as CustomResourceDefinition),
  prepareForCreate(object) {
    const { spec } = object as CustomResourceDefinition;
    const stored = (spec?.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
    object.status = { conditions: null, acceptedNames: { kind: '', plural: '' }, storedVersions: stored };
  },
  prepareForUpdate(object) {
    const { spec, status } = object as CustomResourceDefinition;
    if (!status) return;
    const stored = (spec?.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
    object.status = { ...status, storedVersions: [...new Set([...(status.storedVersions ?? []), ...stored])] };
  },
  validate: (object) => validateCustomResourceDefinition(object as CustomResourceDefinition),
  validateUpdate: (object, old) => validateCustomResourceDefinitionUpdate(object as CustomResourceDefinition, old as CustomResourceDefinition),
  allowUnconditionalUpdate: false,
};

export const customResourceDefinitionStatusStrategy: ResourceStrategy = {
  validateUpdate: (object, old) => validateCustomResourceDefinitionStatusUpdate(object as CustomResourceDefinition, old as CustomResourceDefinition),
  allowUnconditionalUpdate: false,
};
