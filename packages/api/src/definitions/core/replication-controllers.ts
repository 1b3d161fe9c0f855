import type { ReplicationController } from '../../generated/types.js';
import { ageColumn, column, containerColumns, formatLabels, nameColumn } from '../../printing/column.js';
import { replicaSetStatusStrategy, replicationControllerStrategy } from '../../strategies/apps.js';
import { type Row, scaleSubresource, selectable } from '../define.js';

export const replicationControllers: Row = {
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  storagePrefix: '/registry/controllers',
  strategy: replicationControllerStrategy,
  status: replicaSetStatusStrategy,
  subresources: [scaleSubresource],
  selectableFields: selectable('status.replicas'),
  columns: [
    nameColumn,
    column<ReplicationController>('Desired', ({ spec }) => spec?.replicas ?? 0, 'integer'),
    column<ReplicationController>('Current', ({ status }) => status?.replicas ?? 0, 'integer'),
    column<ReplicationController>('Ready', ({ status }) => status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template?.spec?.containers),
    column<ReplicationController>('Selector*', ({ spec }) => formatLabels(spec?.selector)),
  ],
};
