import type { FieldError } from '../field-error.js';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { driverName, each, nonNegativeQuantity, optionalEnum, requiredText, unique, validateLabelSelector } from './common.js';
import { duplicate, forbidden, invalid, required } from './errors.js';
import { isDNS1123Subdomain, isQualifiedName } from './names.js';
import { immutable } from './object-meta.js';

export function validateStorageClass(object: StorageClass): FieldError[] {
  const errors = object.provisioner ? requiredText(object.provisioner.toLowerCase(), 'provisioner', isQualifiedName) : [required('provisioner')];
  if (Object.keys(object.parameters ?? {}).some((key) => key === '')) errors.push(invalid('parameters', object.parameters, 'field cannot be empty'));
  return [
    ...errors,
    ...optionalEnum(object.reclaimPolicy, 'reclaimPolicy', ['Delete', 'Retain']),
    ...optionalEnum(object.volumeBindingMode, 'volumeBindingMode', ['Immediate', 'WaitForFirstConsumer']),
    ...each(object.allowedTopologies, 'allowedTopologies', ({ matchLabelExpressions }, path) =>
      each(matchLabelExpressions, `${path}.matchLabelExpressions`, ({ key, values = [] }, at) => [
        ...requiredText(key, `${at}.key`, isQualifiedName),
        ...(values.length === 0
          ? [required(`${at}.values`)]
          : unique(
              values,
              (value) => value,
              (index) => `${at}.values[${index}]`,
            )),
      ]),
    ),
  ];
}

export function validateStorageClassUpdate(object: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!deepEqual(object[key], old[key])) errors.push(forbidden(key, `updates to ${key} are forbidden.`));
  }
  return [...errors, ...immutable(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode')];
}

export function validateCSIDriver({ metadata, spec }: CSIDriver): FieldError[] {
  const audiences = new Set<string>();
  return [
    ...driverName(metadata.name, 'metadata.name'),
    ...optionalEnum(spec.fsGroupPolicy, 'spec.fsGroupPolicy', ['File', 'None', 'ReadWriteOnceWithFSType']),
    ...each(spec.volumeLifecycleModes, 'spec.volumeLifecycleModes', (mode, path) => optionalEnum(mode, path, ['Ephemeral', 'Persistent'])),
    ...each(spec.tokenRequests, 'spec.tokenRequests', ({ audience, expirationSeconds }, path) => {
      const errors: FieldError[] = audiences.has(audience) ? [duplicate(`${path}.audience`, audience)] : [];
      audiences.add(audience);
      if (expirationSeconds !== undefined && expirationSeconds < 600) {
        errors.push(invalid(`${path}.expirationSeconds`, expirationSeconds, 'may not specify a duration less than 10 minutes'));
      }
      return errors;
    }),
  ];
}

export const validateCSIDriverUpdate = ({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] => [
  ...immutable(spec.attachRequired, old.attachRequired, 'spec.attachRequired'),
  ...immutable(spec.fsGroupPolicy, old.fsGroupPolicy, 'spec.fsGroupPolicy'),
  ...immutable(spec.volumeLifecycleModes, old.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
];

export const validateCSINode = ({ spec }: CSINode): FieldError[] => [
  ...unique(
    spec?.drivers ?? [],
    ({ name }) => name,
    (index) => `spec.drivers[${index}].name`,
  ),
  ...each(spec?.drivers, 'spec.drivers', ({ name, nodeID, topologyKeys, allocatable }, path) => [
    ...driverName(name, `${path}.name`),
    ...requiredText(nodeID, `${path}.nodeID`),
    ...each(topologyKeys, `${path}.topologyKeys`, (key, at) => requiredText(key, at, isQualifiedName)),
    ...((allocatable?.count ?? 0) < 0 ? [invalid(`${path}.allocatable.count`, allocatable?.count, 'must be greater than or equal to 0')] : []),
  ]),
];

/** A driver's entry changes only by leaving and coming back; what it can hold may be updated. */
export const validateCSINodeUpdate = ({ spec }: CSINode, { spec: old }: CSINode): FieldError[] =>
  each(spec?.drivers, 'spec.drivers', (driver, path) => {
    const before = old?.drivers?.find(({ name }) => name === driver.name);
    const { allocatable: _, ...now } = driver;
    const { allocatable: _old, ...then } = before ?? driver;
    return deepEqual(now, then) ? [] : [invalid(path, driver, 'field is immutable')];
  });

export const validateCSIStorageCapacity = (object: CSIStorageCapacity): FieldError[] => [
  ...validateLabelSelector(object.nodeTopology, 'nodeTopology'),
  ...requiredText(object.storageClassName, 'storageClassName', isDNS1123Subdomain),
  ...(object.capacity === undefined ? [] : nonNegativeQuantity(object.capacity, 'capacity')),
  ...(object.maximumVolumeSize === undefined ? [] : nonNegativeQuantity(object.maximumVolumeSize, 'maximumVolumeSize')),
];

export const validateCSIStorageCapacityUpdate = (object: CSIStorageCapacity, old: CSIStorageCapacity): FieldError[] => [
  ...immutable(object.nodeTopology, old.nodeTopology, 'nodeTopology'),
  ...immutable(object.storageClassName, old.storageClassName, 'storageClassName'),
];

export function validateVolumeAttachment({ spec }: VolumeAttachment): FieldError[] {
  const errors = [...driverName(spec.attacher, 'spec.attacher'), ...requiredText(spec.nodeName, 'spec.nodeName', isDNS1123Subdomain)];
  const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {};
  if (!inlineVolumeSpec && !persistentVolumeName) errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (inlineVolumeSpec && persistentVolumeName) {
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  }
  return errors;
}

export const validateVolumeAttachmentUpdate = ({ spec }: VolumeAttachment, { spec: old }: VolumeAttachment): FieldError[] =>
  deepEqual(spec, old) ? [] : [invalid('spec', spec, 'field is immutable')];

export function validateVolumeAttributesClass(object: VolumeAttributesClass): FieldError[] {
  const errors = driverName(object.driverName, 'driverName');
  if (Object.keys(object.parameters ?? {}).length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
  return errors;
}

export const validateVolumeAttributesClassUpdate = (object: VolumeAttributesClass, old: VolumeAttributesClass): FieldError[] => [
  ...immutable(object.driverName, old.driverName, 'driverName'),
  ...immutable(object.parameters, old.parameters, 'parameters'),
];
