import { defaultEndpointSlice } from '../defaults/others.js';
import type { EndpointSlice } from '../generated/types.js';
import { validateEndpointSlice, validateEndpointSliceUpdate } from '../validation/endpoint-slice.js';
import type { StrategyParts } from './lifecycle.js';

export const endpointSliceStrategy: StrategyParts = {
  generationOf: ['addressType', 'endpoints', 'ports'],
  default: (object) => defaultEndpointSlice(object as EndpointSlice),
  validate: (object) => validateEndpointSlice(object as EndpointSlice),
  validateUpdate: (object, old) => validateEndpointSliceUpdate(object as EndpointSlice, old as EndpointSlice),
};
