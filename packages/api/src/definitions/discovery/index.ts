import type { EndpointSlice } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { sliceEndpoints, slicePorts } from '../../printing/endpoint-cells.js';
import { endpointSliceStrategy } from '../../strategies/discovery.js';
import { defineGroup } from '../define.js';

export const discovery = defineGroup('discovery.k8s.io', 'v1', 'io.k8s.api.discovery.v1', [
  {
    kind: 'EndpointSlice',
    resource: 'endpointslices',
    strategy: endpointSliceStrategy,
    columns: [
      nameColumn,
      column<EndpointSlice>('AddressType', ({ addressType }) => addressType),
      column<EndpointSlice>('Ports', ({ ports }) => slicePorts(ports)),
      column<EndpointSlice>('Endpoints', ({ endpoints }) => sliceEndpoints(endpoints)),
      ageColumn,
    ],
  },
]);
