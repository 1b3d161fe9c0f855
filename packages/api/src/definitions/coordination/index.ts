import type { Lease } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { leaseStrategy } from '../../strategies/coordination.js';
import { defineGroup } from '../define.js';

export const coordination = defineGroup('coordination.k8s.io', 'v1', 'io.k8s.api.coordination.v1', [
  {
    kind: 'Lease',
    resource: 'leases',
    strategy: leaseStrategy,
    columns: [nameColumn, column<Lease>('Holder', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
  },
]);
