import type { ResourceStrategy } from '../definition.js';
import { defaultResourceClaim, defaultResourceClaimTemplate } from '../defaults/extensions.js';
import type { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from '../generated/types.js';
import { validateDeviceClass, validateResourceClaim, validateResourceClaimTemplate, validateResourceSlice } from '../validation/resource.js';
import { validateResourceClaimStatusUpdate } from '../validation/resource-claim-status.js';
import { immutable } from '../validation/object-meta.js';
import type { StrategyParts } from './lifecycle.js';

export const deviceClassStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validateDeviceClass(object as DeviceClass),
};

export const resourceClaimStrategy: StrategyParts = {
  default: (object) => defaultResourceClaim(object as ResourceClaim),
  validate: (object) => validateResourceClaim(object as ResourceClaim),
  validateUpdate: (object, old) => immutable(object.spec, old.spec, 'spec'),
};

export const resourceClaimStatusStrategy: ResourceStrategy = {
  validateUpdate: (object, old) => validateResourceClaimStatusUpdate(object as ResourceClaim, old as ResourceClaim),
};

export const resourceClaimTemplateStrategy: StrategyParts = {
  default: (object) => defaultResourceClaimTemplate(object as ResourceClaimTemplate),
  validate: (object) => validateResourceClaimTemplate(object as ResourceClaimTemplate),
  validateUpdate: (object, old) => immutable(object.spec, old.spec, 'spec'),
};

export const resourceSliceStrategy: StrategyParts = {
  generationOf: ['spec'],
  validate: (object) => validateResourceSlice(object as ResourceSlice),
  validateUpdate: (object, old) => [
    ...immutable(object.spec?.driver, old.spec?.driver, 'spec.driver'),
    ...immutable(object.spec?.pool?.name, old.spec?.pool?.name, 'spec.pool.name'),
    ...immutable(object.spec?.nodeName, old.spec?.nodeName, 'spec.nodeName'),
  ],
};
