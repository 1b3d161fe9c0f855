import type { DownwardAPIVolumeFile, PersistentVolumeClaimSpec, PersistentVolumeSpec, Volume, VolumeProjection } from '../generated/types.js';
import { defaultPullPolicy } from './image.js';
import { setDefault, setDefaultText } from './set-default.js';

const FILE_MODE = 0o644;

export function defaultVolume(volume: Volume): void {
  if (Object.entries(volume).every(([key, value]) => key === 'name' || value === undefined || value === null)) {
    volume.emptyDir = {};
  }
  const { secret, configMap, downwardAPI, projected, hostPath, image, ephemeral } = volume;
  if (secret) setDefault(secret, 'defaultMode', FILE_MODE);
  if (configMap) setDefault(configMap, 'defaultMode', FILE_MODE);
  if (downwardAPI) {
    setDefault(downwardAPI, 'defaultMode', FILE_MODE);
    downwardAPI.items?.forEach(defaultFieldRef);
  }
  if (projected) {
    setDefault(projected, 'defaultMode', FILE_MODE);
    projected.sources?.forEach(defaultProjection);
  }
  if (hostPath) setDefault(hostPath, 'type', '');
  if (image) setDefaultText(image, 'pullPolicy', defaultPullPolicy(image.reference));
  if (ephemeral?.volumeClaimTemplate) defaultClaimSpec(ephemeral.volumeClaimTemplate.spec);
  defaultAttached(volume);
}

/** The sources pods and persistent volumes share. */
function defaultAttached({ iscsi, rbd, azureDisk, scaleIO }: Pick<Volume, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>): void {
  if (iscsi) setDefaultText(iscsi, 'iscsiInterface', 'default');
  if (rbd) {
    setDefaultText(rbd, 'pool', 'rbd');
    setDefaultText(rbd, 'user', 'admin');
    setDefaultText(rbd, 'keyring', '/etc/ceph/keyring');
  }
  if (azureDisk) {
    setDefault(azureDisk, 'cachingMode', 'ReadWrite');
    setDefault(azureDisk, 'kind', 'Shared');
    setDefault(azureDisk, 'fsType', 'ext4');
    setDefault(azureDisk, 'readOnly', false);
  }
  if (scaleIO) {
    setDefaultText(scaleIO, 'storageMode', 'ThinProvisioned');
    setDefaultText(scaleIO, 'fsType', 'xfs');
  }
}

function defaultProjection({ serviceAccountToken, downwardAPI }: VolumeProjection): void {
  if (serviceAccountToken) setDefault(serviceAccountToken, 'expirationSeconds', 3600);
  downwardAPI?.items?.forEach(defaultFieldRef);
}

function defaultFieldRef({ fieldRef }: DownwardAPIVolumeFile): void {
  if (fieldRef) setDefaultText(fieldRef, 'apiVersion', 'v1');
}

export function defaultClaimSpec(spec: PersistentVolumeClaimSpec | undefined): void {
  if (spec) setDefault(spec, 'volumeMode', 'Filesystem');
}

export function defaultPersistentVolumeSpec(spec: PersistentVolumeSpec): void {
  setDefaultText(spec, 'persistentVolumeReclaimPolicy', 'Retain');
  setDefault(spec, 'volumeMode', 'Filesystem');
  if (spec.hostPath) setDefault(spec.hostPath, 'type', '');
  defaultAttached(spec as Pick<Volume, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>);
}
