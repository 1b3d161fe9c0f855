import type { FieldError } from '../field-error.js';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment, VolumeAttributesClass, VolumeError } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { driverName, each, nonNegativeQuantity, optionalEnum, optionalText, requiredText, unique, validateLabelSelector } from './common.js';
import { duplicate, forbidden, invalid, invalids, required, tooLong } from './errors.js';
import { byteLength, isDNS1123Subdomain, isQualifiedName, rangeError } from './names.js';
import { immutable } from './object-meta.js';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_SIZE = 256 * 1024;
const MAX_NODE_ID = 192;
const MAX_MESSAGE = 1024;

const sizeOf = (entries: Readonly<Record<string, string>>): number =>
  Object.entries(entries).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);

function validateParameters(parameters: Readonly<Record<string, string>> = {}, field = 'parameters'): FieldError[] {
  if (Object.keys(parameters).length > MAX_PARAMETERS) return [tooLong(field, MAX_PARAMETERS)];
  return [
    ...('' in parameters ? [invalid(field, '', 'field can not be empty.')] : []),
    ...(sizeOf(parameters) > MAX_PARAMETERS_SIZE ? [tooLong(field, MAX_PARAMETERS_SIZE)] : []),
  ];
}

export function validateStorageClass(object: StorageClass): FieldError[] {
  const errors = object.provisioner ? requiredText(object.provisioner.toLowerCase(), 'provisioner', isQualifiedName) : [required('provisioner')];
  errors.push(...validateParameters(object.parameters));
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
      if (expirationSeconds !== undefined && expirationSeconds > 2 ** 32) {
        errors.push(invalid(`${path}.expirationSeconds`, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
      }
      return errors;
    }),
  ];
}

export const validateCSIDriverUpdate = ({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] => [
  // As upstream spells it.
  ...immutable(spec.attachRequired, old.attachRequired, 'spec.attachedRequired'),
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
    ...(byteLength(nodeID ?? '') > MAX_NODE_ID ? [invalid(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`)] : []),
    ...each(topologyKeys, path, (key, _, index) => [
      ...requiredText(key, path, isQualifiedName),
      ...(topologyKeys && topologyKeys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ]),
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

export function validateVolumeAttachment({ spec, status }: VolumeAttachment): FieldError[] {
  const errors = driverName(spec.attacher, 'spec.attacher');
  const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {};
  if (!inlineVolumeSpec && persistentVolumeName === undefined)
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  else if (inlineVolumeSpec && persistentVolumeName !== undefined)
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  else if (persistentVolumeName === '') errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  else errors.push(...optionalText(persistentVolumeName, 'spec.source.persistentVolumeName', isDNS1123Subdomain));
  return [
    ...errors,
    ...invalids('spec.nodeName', spec.nodeName, isDNS1123Subdomain(spec.nodeName ?? '')),
    ...(sizeOf(status?.attachmentMetadata ?? {}) > MAX_PARAMETERS_SIZE ? [tooLong('status.attachmentMetadata', MAX_PARAMETERS_SIZE)] : []),
    ...validateVolumeError(status?.attachError, 'status.attachError'),
    ...validateVolumeError(status?.detachError, 'status.detachError'),
  ];
}

const validateVolumeError = (error: VolumeError | undefined, field: string): FieldError[] => [
  ...(byteLength(error?.message ?? '') > MAX_MESSAGE ? [tooLong(`${field}.message`, MAX_PARAMETERS_SIZE)] : []),
  ...((error?.errorCode ?? 0) < 0 ? [invalid(`${field}.errorCode`, error?.errorCode, rangeError(0, 2 ** 31 - 1))] : []),
];

export const validateVolumeAttachmentUpdate = ({ spec }: VolumeAttachment, { spec: old }: VolumeAttachment): FieldError[] =>
  deepEqual(spec, old) ? [] : [invalid('spec', spec, 'field is immutable')];

export function validateVolumeAttributesClass(object: VolumeAttributesClass): FieldError[] {
  const errors = driverName(object.driverName, 'driverName');
  errors.push(...validateParameters(object.parameters));
  if (Object.keys(object.parameters ?? {}).length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
  return errors;
}

export const validateVolumeAttributesClassUpdate = (object: VolumeAttributesClass, old: VolumeAttributesClass): FieldError[] => [
  ...immutable(object.driverName, old.driverName, 'driverName'),
  ...immutable(object.parameters, old.parameters, 'parameters'),
];
