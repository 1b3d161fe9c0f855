import type { FieldError } from '../field-error.js';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { optionalEnum, optionalText, positiveQuantity, requiredText } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Subdomain } from './names.js';
import { validateAccessModes } from './persistent-volume-claim.js';
import { validateNodeSelectorTerms } from './pod/scheduling.js';
import { requiredSourceFields, validateHostPathType } from './pod/volumes.js';

const SOURCES = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const;

export function validateVolumeObject({ spec }: PersistentVolume): FieldError[] {
  if (!spec) return [required('spec')];
  return [
    ...validateAccessModes(spec.accessModes, 'spec.accessModes').map((error) => (error.type === 'FieldValueRequired' ? required('spec.accessModes') : error)),
    ...validateCapacity(spec),
    ...optionalEnum(spec.persistentVolumeReclaimPolicy, 'spec.persistentVolumeReclaimPolicy', ['Delete', 'Recycle', 'Retain']),
    ...optionalEnum(spec.volumeMode, 'spec.volumeMode', ['Block', 'Filesystem']),
    ...optionalText(spec.storageClassName, 'spec.storageClassName', isDNS1123Subdomain),
    ...validateNodeAffinity(spec),
    ...validateSource(spec),
    ...validateAttributesClass(spec),
  ];
}

function validateNodeAffinity({ nodeAffinity }: PersistentVolumeSpec): FieldError[] {
  if (!nodeAffinity) return [];
  if (!nodeAffinity.required) return [required('spec.nodeAffinity.required', 'must specify required node constraints')];
  return validateNodeSelectorTerms(nodeAffinity.required.nodeSelectorTerms, 'spec.nodeAffinity.required');
}

function validateAttributesClass({ volumeAttributesClassName: name, csi }: PersistentVolumeSpec): FieldError[] {
  if (name === undefined) return [];
  const path = 'spec.volumeAttributesClassName';
  const errors = name === '' ? [required(path, 'an empty string is disallowed')] : invalids(path, name, isDNS1123Subdomain(name));
  return csi ? errors : [...errors, required('spec.csi', 'has to be specified when using volumeAttributesClassName')];
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec): FieldError[] {
  const { storage } = capacity;
  if (storage === undefined || Object.keys(capacity).length > 1) {
    const none = Object.keys(capacity).length === 0 ? [required('spec.capacity')] : [];
    return [...none, notSupported('spec.capacity', capacity, ['storage'])];
  }
  return positiveQuantity(storage, 'spec.capacity[storage]');
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const given = SOURCES.filter((kind) => spec[kind] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) return [required('spec', 'must specify a volume type')];
  const errors: FieldError[] = others.map((kind) => forbidden(`spec.${kind}`, 'may not specify more than 1 volume type'));
  if (first === 'local') {
    errors.push(...requiredText(spec.local?.path, 'spec.local.path'));
    if (!spec.nodeAffinity?.required) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  } else {
    errors.push(...requiredSourceFields(first, spec[first], `spec.${first}`));
    if (first === 'csi') errors.push(...requiredText(spec.csi?.volumeHandle, 'spec.csi.volumeHandle'));
    if (first === 'hostPath') {
      if (spec.hostPath?.path.split('/').includes('..')) errors.push(invalid('spec.hostPath.path', spec.hostPath.path, "must not contain '..'"));
      errors.push(...validateHostPathType(spec.hostPath?.type, 'spec.hostPath.type'));
    }
  }
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  return errors;
}

/** The volume behind the object is fixed. */
export function validateVolumeObjectUpdate({ spec }: PersistentVolume, { spec: old }: PersistentVolume): FieldError[] {
  if (!spec || !old) return [];
  const source = (from: PersistentVolumeSpec) => SOURCES.map((kind) => [kind, from[kind]]);
  const errors: FieldError[] = [];
  if (!deepEqual(Object.fromEntries(source(spec)), Object.fromEntries(source(old)))) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation\n'));
  }
  if (!deepEqual(spec.volumeMode, old.volumeMode)) errors.push(invalid('spec.volumeMode', spec.volumeMode ?? null, 'field is immutable'));
  if (old.nodeAffinity && !deepEqual(spec.nodeAffinity, old.nodeAffinity)) {
    errors.push(invalid('spec.nodeAffinity', spec.nodeAffinity ?? null, 'field is immutable'));
  }
  return errors;
}
