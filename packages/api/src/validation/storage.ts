import type { FieldError } from '../field-error.js';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  LabelSelector,
  StorageClass,
  TopologySelectorTerm,
  VolumeAttachment,
  VolumeAttributesClass,
  VolumeError,
} from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { driverName, each, nonNegative, nonNegativeQuantity, optionalEnum, requiredText, validateLabelSelector } from './common.js';
import { duplicate, forbidden, invalid, invalids, required, tooLong } from './errors.js';
import { byteLength, isDNS1123Subdomain, isQualifiedName, rangeError } from './names.js';
import { nodeLabelWarning } from './node-labels.js';
import { immutable } from './object-meta.js';
import { validateInlineVolume } from './persistent-volume.js';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_SIZE = 256 * 1024;
const MAX_NODE_ID = 192;
const MAX_MESSAGE = 1024;

const sizeOf = (entries: Readonly<Record<string, string>>): number =>
  Object.entries(entries).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);

function validateParameters(parameters: Readonly<Record<string, string>> = {}, field = 'parameters'): FieldError[] {
  if (Object.keys(parameters).length > MAX_PARAMETERS) return [tooLong(field, MAX_PARAMETERS)];
  return [
    ...(Object.hasOwn(parameters, '') ? [invalid(field, '', 'field can not be empty.')] : []),
    ...(sizeOf(parameters) > MAX_PARAMETERS_SIZE ? [tooLong(field, MAX_PARAMETERS_SIZE)] : []),
  ];
}

/** Shown in lower case, as it is checked. */
const validateProvisioner = (name: string | undefined, field: string): FieldError[] => requiredText(name?.toLowerCase(), field, isQualifiedName);

export const validateStorageClass = (object: StorageClass): FieldError[] => [
  ...validateProvisioner(object.provisioner, 'provisioner'),
  ...validateParameters(object.parameters),
  ...(object.reclaimPolicy ? optionalEnum(object.reclaimPolicy, 'reclaimPolicy', ['Delete', 'Retain']) : []),
  ...(object.volumeBindingMode === undefined
    ? [required('volumeBindingMode')]
    : optionalEnum(object.volumeBindingMode, 'volumeBindingMode', ['Immediate', 'WaitForFirstConsumer'])),
  ...validateTopologies(object.allowedTopologies ?? []),
];

function validateTopologies(topologies: readonly TopologySelectorTerm[]): FieldError[] {
  // The order of expressions and of their values does not matter.
  const known: Record<string, string[]>[] = [];
  return each(topologies, 'allowedTopologies', ({ matchLabelExpressions }, path) => {
    const expressions: Record<string, string[]> = {};
    const errors = each(matchLabelExpressions, `${path}.matchLabelExpressions`, ({ key = '', values = [] }, at) => {
      const again = Object.hasOwn(expressions, key);
      expressions[key] = [...new Set(values)].sort();
      return [
        ...(values.length === 0 ? [required(`${at}.values`)] : []),
        ...values.flatMap((value, index) => (values.indexOf(value) < index ? [duplicate(`${at}.values[${index}]`, value)] : [])),
        ...invalids(`${at}.key`, key, isQualifiedName(key)),
        ...(again ? [duplicate(`${at}.key`, key)] : []),
      ];
    });
    if (known.some((other) => deepEqual(other, expressions))) errors.push(duplicate(`${path}.matchLabelExpressions`, ''));
    known.push(expressions);
    return errors;
  });
}

export const validateStorageClassUpdate = (object: StorageClass, old: StorageClass): FieldError[] =>
  (['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((key) => immutable(object[key], old[key], key));

export const storageClassWarnings = ({ allowedTopologies }: StorageClass): string[] =>
  (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, index) =>
    (matchLabelExpressions ?? []).flatMap(({ key }, which) => {
      const warning = nodeLabelWarning(key);
      return warning ? [`allowedTopologies[${index}].matchLabelExpressions[${which}].key: ${key} is ${warning}`] : [];
    }),
  );

const REQUIRED_OF_DRIVERS = [
  ['attachRequired', 'attachedRequired'],
  ['podInfoOnMount', 'podInfoOnMount'],
  ['storageCapacity', 'storageCapacity'],
] as const;

export function validateCSIDriver({ spec }: CSIDriver): FieldError[] {
  const errors = REQUIRED_OF_DRIVERS.flatMap(([key, shown]) => (spec[key] === undefined ? [required(`spec.${shown}`)] : []));
  const { tokenRequests = [], nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets: inSecrets } = spec;
  const audiences = new Set<string>();
  errors.push(
    ...optionalEnum(spec.fsGroupPolicy, 'spec.fsGroupPolicy', ['File', 'None', 'ReadWriteOnceWithFSType']),
    ...each(tokenRequests, 'spec.tokenRequests', ({ audience = '', expirationSeconds: seconds }, path) => {
      if (audiences.has(audience)) return [duplicate(`${path}.audience`, audience)];
      audiences.add(audience);
      if (seconds === undefined) return [];
      if (seconds < 600) return [invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes')];
      return seconds > 2 ** 32 ? [invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds')] : [];
    }),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) => optionalEnum(mode, 'spec.volumeLifecycleModes', ['Persistent', 'Ephemeral'])),
  );
  if (period !== undefined && period < 10) {
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'));
  }
  if (inSecrets !== undefined && tokenRequests.length === 0) {
    errors.push(invalid('spec.serviceAccountTokenInSecrets', inSecrets, 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'));
  }
  return errors;
}

export const validateCSIDriverUpdate = ({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] => [
  // As upstream spells it.
  ...immutable(spec.attachRequired, old.attachRequired, 'spec.attachedRequired'),
  ...immutable(spec.volumeLifecycleModes, old.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
];

export const validateCSINode = ({ spec }: CSINode): FieldError[] =>
  each(spec?.drivers, 'spec.drivers', ({ name, nodeID = '', topologyKeys, allocatable }, path, index) => [
    ...driverName(name, `${path}.name`),
    ...requiredText(nodeID, `${path}.nodeID`),
    ...(byteLength(nodeID) > MAX_NODE_ID ? [invalid(`${path}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`)] : []),
    ...nonNegative(allocatable?.count, `${path}.allocatable.count`),
    ...((spec?.drivers ?? []).findIndex((driver) => driver.name === name) < index ? [duplicate(`${path}.name`, name)] : []),
    ...(topologyKeys ?? []).flatMap((key, which) => [
      ...(key ? [] : [required(path)]),
      ...(topologyKeys?.indexOf(key) === which ? [] : [duplicate(path, key)]),
      ...invalids(path, key, isQualifiedName(key)),
    ]),
  ]);

/** A driver's entry changes only by leaving and coming back; what it can hold may be updated. */
export const validateCSINodeUpdate = ({ spec }: CSINode, { spec: old }: CSINode): FieldError[] =>
  (old?.drivers ?? []).flatMap((before) =>
    (spec?.drivers ?? []).flatMap((driver) => {
      if (driver.name !== before.name) return [];
      const { allocatable: _, ...now } = driver;
      const { allocatable: _old, ...then } = before;
      return immutable(now, then, 'spec.drivers');
    }),
  );

/** With `old`: a selector that is stored wrong may stay. */
export function validateCSIStorageCapacity(object: CSIStorageCapacity, old?: CSIStorageCapacity): FieldError[] {
  const name = object.storageClassName ?? '';
  const anyValue = old !== undefined && validateLabelSelector(old.nodeTopology, '').length > 0;
  return [
    ...validateLabelSelector(object.nodeTopology, 'nodeTopology').filter((error) => !anyValue || !/\.values\[\d+\]$/.test(error.field)),
    ...invalids('storageClassName', name, isDNS1123Subdomain(name)),
    ...(object.capacity === undefined ? [] : nonNegativeQuantity(object.capacity, 'capacity')),
  ];
}

export const capacityWarnings = ({ nodeTopology }: CSIStorageCapacity): string[] => nodeSelectorWarnings(nodeTopology, 'nodeTopology');

function nodeSelectorWarnings(selector: LabelSelector | undefined, field: string): string[] {
  return (selector?.matchExpressions ?? []).flatMap(({ key }, index) => {
    const warning = nodeLabelWarning(key);
    return warning ? [`${field}.matchExpressions[${index}].key: ${key} is ${warning}`] : [];
  });
}

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
  else if (inlineVolumeSpec) errors.push(...validateInlineVolume(inlineVolumeSpec, 'spec.source.inlineVolumeSpec'));
  return [
    ...errors,
    ...invalids('spec.nodeName', spec.nodeName, isDNS1123Subdomain(spec.nodeName ?? '')),
    ...(persistentVolumeName === undefined ? [] : invalids('spec.source.persistentVolumeName', persistentVolumeName, isDNS1123Subdomain(persistentVolumeName))),
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
  const errors = [...validateProvisioner(object.driverName, 'driverName'), ...validateParameters(object.parameters)];
  if (Object.keys(object.parameters ?? {}).length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
  return errors;
}

export const validateVolumeAttributesClassUpdate = (object: VolumeAttributesClass, old: VolumeAttributesClass): FieldError[] =>
  (['driverName', 'parameters'] as const).flatMap((key) => (deepEqual(object[key], old[key]) ? [] : [forbidden(key, `updates to ${key} are forbidden.`)]));
