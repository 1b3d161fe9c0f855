import type { ResourceClaim, ResourceSlice } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import {
  deviceClassStrategy,
  resourceClaimStatusStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  resourceSliceStrategy,
} from '../../strategies/resource.js';
import { defineGroup, selectable } from '../define.js';

function claimState({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp) states.push('deleted');
  if (status?.allocation) {
    states.push('allocated');
    if ((status.reservedFor ?? []).length > 0) states.push('reserved');
  } else if (!metadata.deletionTimestamp) {
    states.push('pending');
  }
  return states.join(',');
}

export const resource = defineGroup('resource.k8s.io', 'v1', 'io.k8s.api.resource.v1', [
  { kind: 'DeviceClass', resource: 'deviceclasses', namespaced: false, strategy: deviceClassStrategy },
  {
    kind: 'ResourceClaim',
    resource: 'resourceclaims',
    strategy: resourceClaimStrategy,
    status: resourceClaimStatusStrategy,
    columns: [nameColumn, column<ResourceClaim>('State', claimState), ageColumn],
  },
  { kind: 'ResourceClaimTemplate', resource: 'resourceclaimtemplates', strategy: resourceClaimTemplateStrategy },
  {
    kind: 'ResourceSlice',
    resource: 'resourceslices',
    namespaced: false,
    strategy: resourceSliceStrategy,
    selectableFields: selectable('spec.nodeName', 'spec.driver'),
    columns: [
      nameColumn,
      column<ResourceSlice>('Node', ({ spec }) => spec.nodeName || '<none>'),
      column<ResourceSlice>('Driver', ({ spec }) => spec.driver),
      column<ResourceSlice>('Pool', ({ spec }) => spec.pool.name),
      ageColumn,
    ],
  },
]);
