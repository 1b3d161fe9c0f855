import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import {
  csiDriverStrategy,
  csiNodeStrategy,
  csiStorageCapacityStrategy,
  storageClassStrategy,
  volumeAttachmentStrategy,
  volumeAttributesClassStrategy,
} from '../../strategies/storage.js';
import { defineGroup, type Row } from '../define.js';

const defaultMarked = (...annotations: string[]) =>
  ({
    ...nameColumn,
    cell: ({ metadata }) => (annotations.some((key) => metadata.annotations?.[key] === 'true') ? `${metadata.name} (default)` : (metadata.name ?? '')),
  }) satisfies typeof nameColumn;

const storageClasses: Row = {
  kind: 'StorageClass',
  resource: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  strategy: storageClassStrategy,
  columns: [
    defaultMarked('storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'),
    column<StorageClass>('Provisioner', ({ provisioner }) => provisioner),
    column<StorageClass>('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    column<StorageClass>('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
    column<StorageClass>('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
};

const csiDrivers: Row = {
  kind: 'CSIDriver',
  resource: 'csidrivers',
  namespaced: false,
  strategy: csiDriverStrategy,
  columns: [
    nameColumn,
    column<CSIDriver>('AttachRequired', ({ spec }) => spec.attachRequired ?? true, 'boolean'),
    column<CSIDriver>('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount ?? false, 'boolean'),
    column<CSIDriver>('StorageCapacity', ({ spec }) => spec.storageCapacity ?? false, 'boolean'),
    column<CSIDriver>('TokenRequests', ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>'),
    column<CSIDriver>('RequiresRepublish', ({ spec }) => spec.requiresRepublish ?? false, 'boolean'),
    column<CSIDriver>('Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ],
};

export const storage = defineGroup('storage.k8s.io', 'v1', 'io.k8s.api.storage.v1', [
  csiDrivers,
  {
    kind: 'CSINode',
    resource: 'csinodes',
    namespaced: false,
    strategy: csiNodeStrategy,
    columns: [nameColumn, column<CSINode>('Drivers', ({ spec }) => spec?.drivers?.length ?? 0, 'integer'), ageColumn],
  },
  {
    kind: 'CSIStorageCapacity',
    resource: 'csistoragecapacities',
    strategy: csiStorageCapacityStrategy,
    columns: [
      nameColumn,
      column<CSIStorageCapacity>('StorageClassName', ({ storageClassName }) => storageClassName),
      column<CSIStorageCapacity>('Capacity', ({ capacity }) => capacity ?? '<unset>'),
    ],
  },
  storageClasses,
  {
    kind: 'VolumeAttachment',
    resource: 'volumeattachments',
    namespaced: false,
    strategy: volumeAttachmentStrategy,
    status: {},
    columns: [
      nameColumn,
      { ...column<VolumeAttachment>('Attacher', ({ spec }) => spec.attacher), format: 'name' },
      column<VolumeAttachment>('PV', ({ spec }) => spec.source.persistentVolumeName ?? ''),
      column<VolumeAttachment>('Node', ({ spec }) => spec.nodeName),
      column<VolumeAttachment>('Attached', ({ status }) => status?.attached ?? false, 'boolean'),
      ageColumn,
    ],
  },
  {
    kind: 'VolumeAttributesClass',
    resource: 'volumeattributesclasses',
    shortNames: ['vac'],
    namespaced: false,
    strategy: volumeAttributesClassStrategy,
    columns: [
      defaultMarked('volumeattributesclass.alpha.kubernetes.io/is-default-class', 'volumeattributesclass.kubernetes.io/is-default-class'),
      column<VolumeAttributesClass>('DriverName', ({ driverName }) => driverName),
      ageColumn,
    ],
  },
]);
