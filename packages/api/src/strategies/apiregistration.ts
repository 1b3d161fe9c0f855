import type { ResourceStrategy } from '../definition.js';
import { defaultAPIService } from '../defaults/extensions.js';
import type { APIService } from '../generated/types.js';
import { nameIsPathSegment } from '../validation/names.js';
import { validateAPIService, validateAPIServiceStatus } from '../validation/api-service.js';
import type { StrategyParts } from './lifecycle.js';

export const apiServiceStrategy: StrategyParts = {
  default: (object) => defaultAPIService(object as APIService),
  prepareForCreate(object) {
    const service = object as APIService;
    if (service.spec?.service) return;
    service.status = {
      conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }],
    };
  },
  validate: (object) => validateAPIService(object as APIService),
  validateName: nameIsPathSegment,
  allowUnconditionalUpdate: false,
};

export const apiServiceStatusStrategy: ResourceStrategy = {
  validateUpdate: (object) => validateAPIServiceStatus(object as APIService),
  allowUnconditionalUpdate: false,
};
