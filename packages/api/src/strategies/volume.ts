import type { ResourceStrategy } from '../definition.js';
import { defaultClaim, defaultVolumeObject } from '../defaults/core.js';
import type { PersistentVolume, PersistentVolumeClaim } from '../generated/types.js';
import { claimObjectWarnings, validateClaim, validateClaimStatus, validateClaimUpdate } from '../validation/persistent-volume-claim.js';
import { validateVolumeObject, validateVolumeObjectUpdate, volumeWarnings } from '../validation/persistent-volume.js';
import type { StrategyParts } from './lifecycle.js';

export const volumeStrategy: StrategyParts = {
  default: (object) => defaultVolumeObject(object as PersistentVolume),
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
  },
  validate: (object, old) => validateVolumeObject(object as PersistentVolume, old as PersistentVolume | undefined),
  validateUpdate: (object, old) => validateVolumeObjectUpdate(object as PersistentVolume, old as PersistentVolume),
  warnings: (object) => volumeWarnings(object as PersistentVolume),
};

export const volumeStatusStrategy: ResourceStrategy = {
  prepareForUpdate(object, old, { now }) {
    const { status } = object as PersistentVolume;
    if (!status || status.phase === (old as PersistentVolume).status?.phase) return;
    status.lastPhaseTransitionTime ??= new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  },
};

export const claimStrategy: StrategyParts = {
  default: (object) => defaultClaim(object as PersistentVolumeClaim),
  prepareForCreate(object) {
    object.status = { phase: 'Pending' };
    dropDataSource(object as PersistentVolumeClaim, undefined);
    mirrorDataSource(object as PersistentVolumeClaim);
  },
  prepareForUpdate(object, old) {
    dropDataSource(object as PersistentVolumeClaim, old as PersistentVolumeClaim);
    mirrorDataSource(object as PersistentVolumeClaim);
  },
  validate: (object, old) => validateClaim(object as PersistentVolumeClaim, old as PersistentVolumeClaim | undefined),
  validateUpdate: (object, old) => validateClaimUpdate(object as PersistentVolumeClaim, old as PersistentVolumeClaim),
  warnings: (object) => claimObjectWarnings(object as PersistentVolumeClaim),
};

export const claimStatusStrategy: ResourceStrategy = { validateUpdate: (object) => validateClaimStatus(object as PersistentVolumeClaim) };

/**
 * Sources in other namespaces are behind a gate that is off (CrossNamespaceVolumeDataSource), and `dataSource` alone never named anything but claims and
 * snapshots: both are dropped, unless the claim had a source already.
 */
function dropDataSource({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined): void {
  if (!spec) return;
  if (spec.dataSourceRef?.namespace && !old?.spec?.dataSourceRef) delete spec.dataSourceRef;
  if (old?.spec?.dataSource || old?.spec?.dataSourceRef || spec.dataSourceRef) return;
  if (spec.dataSource && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource;
}

const isClaimOrSnapshot = ({ apiGroup, kind }: { readonly apiGroup?: string; readonly kind: string }): boolean =>
  apiGroup ? apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot' : kind === 'PersistentVolumeClaim';

/** `dataSource` and `dataSourceRef` say the same thing unless the latter names a namespace. */
function mirrorDataSource({ spec }: PersistentVolumeClaim): void {
  if (!spec) return;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { apiGroup, kind, name } = spec.dataSourceRef;
    spec.dataSource = { ...(apiGroup && { apiGroup }), kind, name };
  }
}
