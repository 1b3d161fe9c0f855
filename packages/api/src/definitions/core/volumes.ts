import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { claimStatusStrategy, claimStrategy, volumeStatusStrategy, volumeStrategy } from '../../strategies/volume.js';
import type { Row } from '../define.js';

const MODES = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' } as const;

const accessModes = (modes: readonly string[] | undefined): string =>
  Object.entries(MODES)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

const className = ({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? '';

export const persistentVolumes: Row = {
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  strategy: volumeStrategy,
  status: volumeStatusStrategy,
  columns: [
    nameColumn,
    column<PersistentVolume>('Capacity', ({ spec }) => spec?.capacity?.storage ?? '0'),
    column<PersistentVolume>('Access Modes', ({ spec }) => accessModes(spec?.accessModes)),
    column<PersistentVolume>('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    column<PersistentVolume>('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    column<PersistentVolume>('Claim', ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : '')),
    column<PersistentVolume>('StorageClass', className),
    column<PersistentVolume>('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    column<PersistentVolume>('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    column<PersistentVolume>('VolumeMode*', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
};

export const persistentVolumeClaims: Row = {
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  strategy: claimStrategy,
  status: claimStatusStrategy,
  columns: [
    nameColumn,
    column<PersistentVolumeClaim>('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    column<PersistentVolumeClaim>('Volume', ({ spec }) => spec?.volumeName ?? ''),
    column<PersistentVolumeClaim>('Capacity', ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? '0') : '')),
    column<PersistentVolumeClaim>('Access Modes', ({ spec, status }) => (spec?.volumeName ? accessModes(status?.accessModes) : '')),
    column<PersistentVolumeClaim>('StorageClass', className),
    column<PersistentVolumeClaim>('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    column<PersistentVolumeClaim>('VolumeMode*', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
};
