import { defaultEndpointSlice } from '../defaults/others.js';
import type { EndpointSlice } from '../generated/types.js';
import { endpointSliceWarnings, validateEndpointSlice, validateEndpointSliceUpdate } from '../validation/endpoint-slice.js';
import { deepEqual } from '../util/deep-equal.js';
import type { StrategyParts } from './lifecycle.js';

export const endpointSliceStrategy: StrategyParts = {
  generationOf: ['addressType', 'endpoints', 'ports'],
  generationOfMeta: 'labels',
  default: (object) => defaultEndpointSlice(object as EndpointSlice),
  prepareForCreate: (object) => dropTopology(object as EndpointSlice, undefined),
  prepareForUpdate: (object, old) => dropTopology(object as EndpointSlice, old as EndpointSlice),
  validate: (object) => validateEndpointSlice(object as EndpointSlice),
  validateUpdate: (object, old) => validateEndpointSliceUpdate(object as EndpointSlice, old as EndpointSlice),
  warnings: (object) => endpointSliceWarnings(object as EndpointSlice),
};

const HOSTNAME = 'kubernetes.io/hostname';

/** What v1beta1 said of an endpoint's place stays only as the name of a node that was there before. */
function dropTopology({ endpoints }: EndpointSlice, old: EndpointSlice | undefined): void {
  if (!endpoints?.some(({ deprecatedTopology }) => deprecatedTopology) || (old && deepEqual(old.endpoints, endpoints))) return;
  const known = new Set((old?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[HOSTNAME]));
  for (const endpoint of endpoints) {
    const name = endpoint.deprecatedTopology?.[HOSTNAME];
    if (endpoint.nodeName === undefined && name && known.has(name)) endpoint.nodeName = name;
    delete endpoint.deprecatedTopology;
  }
}
