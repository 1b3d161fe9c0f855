import type { FieldError } from '../field-error.js';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../generated/types.js';
import { compareQuantities } from '../quantity/arithmetic.js';
import { parseQuantity } from '../quantity/quantity.js';
import { deepEqual } from '../util/deep-equal.js';
import { optionalEnum, optionalText, positiveQuantity, validateLabelSelector } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from './names.js';
import { validateAnnotations, validateLabels } from './object-meta.js';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateAccessModes(modes: readonly string[] | undefined, field: string, none = 'at least 1 access mode is required'): FieldError[] {
  if (!modes || modes.length === 0) return [required(field, none)];
  const errors = modes.filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => notSupported(field, mode, ACCESS_MODES));
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

/** With `old`: what is stored with a fault that is found only now may keep it. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec | undefined, field: string, old?: PersistentVolumeClaimSpec): FieldError[] {
  if (!spec) return [required(field)];
  const storage = spec.resources?.requests?.storage;
  const anySelector = old !== undefined && validateLabelSelector(old.selector, '').length > 0;
  const anyGroup = old?.dataSource?.apiGroup !== undefined || old?.dataSourceRef?.apiGroup !== undefined;
  const selector = validateLabelSelector(spec.selector, `${field}.selector`);
  return [
    ...(spec.accessModes?.length ? [] : [required(`${field}.accessModes`, 'at least 1 access mode is required')]),
    ...(anySelector ? selector.filter((error) => !/\.values\[\d+\]$/.test(error.field)) : selector),
    ...(spec.accessModes?.length ? validateAccessModes(spec.accessModes, `${field}.accessModes`) : []),
    ...(storage === undefined ? [required(`${field}.resources[storage]`)] : positiveQuantity(storage, `${field}.resources[storage]`)),
    ...optionalText(spec.storageClassName, `${field}.storageClassName`, isDNS1123Subdomain),
    ...optionalEnum(spec.volumeMode, `${field}.volumeMode`, ['Block', 'Filesystem']),
    ...validateDataSource(spec.dataSource, `${field}.dataSource`, anyGroup),
    ...validateDataSource(spec.dataSourceRef, `${field}.dataSourceRef`, anyGroup),
    ...validateDataSources(spec, field),
    ...optionalText(spec.volumeAttributesClassName, `${field}.volumeAttributesClassName`, isDNS1123Subdomain),
  ];
}

function validateDataSource(source: TypedLocalObjectReference | TypedObjectReference | undefined, field: string, anyGroup: boolean): FieldError[] {
  if (!source) return [];
  const { name, kind = '', apiGroup = '' } = source;
  const namespace = 'namespace' in source ? source.namespace : undefined;
  const errors = name ? [] : [required(`${field}.name`)];
  if (!kind) errors.push(required(`${field}.kind`));
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (apiGroup && !anyGroup) errors.push(...invalids(`${field}.apiGroup`, apiGroup, isDNS1123Subdomain(apiGroup)));
  if (namespace) errors.push(...invalids(`${field}.namespace`, namespace, isDNS1123Label(namespace)));
  return errors;
}

/** Of the two, the older is there for those who know no other: it says the same or, of another namespace, nothing. */
function validateDataSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, field: string): FieldError[] {
  if (!dataSource || !dataSourceRef) return [];
  const path = `${field}.dataSource`;
  if (dataSourceRef.namespace) return [invalid(field, path, 'may not be specified when dataSourceRef.namespace is specified')];
  const same = dataSource.apiGroup === dataSourceRef.apiGroup && dataSource.kind === dataSourceRef.kind && dataSource.name === dataSourceRef.name;
  return same ? [] : [invalid(field, path, 'must match dataSourceRef')];
}

/** A claim to be made: of its metadata only labels and annotations may be said. */
export function validateClaimTemplate({ metadata, spec }: PersistentVolumeClaimTemplate, field: string): FieldError[] {
  const others = Object.entries(metadata ?? {}).filter(([key, value]) => key !== 'labels' && key !== 'annotations' && value !== undefined);
  return [
    ...validateAnnotations(metadata?.annotations, `${field}.metadata.annotations`),
    ...validateLabels(metadata?.labels, `${field}.metadata.labels`),
    ...others.map(([key]) => forbidden(`${field}.metadata.${key}`, 'cannot be set')),
    ...validateClaimSpec(spec, `${field}.spec`),
  ];
}

export const validateClaim = ({ spec }: PersistentVolumeClaim, old?: PersistentVolumeClaim): FieldError[] => validateClaimSpec(spec, 'spec', old?.spec);

const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

/** What a claim has got, or is about to get. */
export function validateClaimStatus({ spec, status }: PersistentVolumeClaim): FieldError[] {
  const errors = spec?.accessModes?.length ? [] : [required('Spec.accessModes')];
  const negative = (quantity: string, field: string): FieldError[] =>
    compareQuantities(quantity, '0') < 0 ? [invalid(field, Number(parseQuantity(quantity).nanos / 1_000_000_000n), 'must be a valid resource quantity')] : [];
  for (const [name, quantity] of Object.entries(status?.capacity ?? {})) errors.push(...negative(quantity, `status.capacity[${name}]`));
  for (const [name, value] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    errors.push(...validateResourceKey(name, 'status.allocatedResourceStatuses'));
    if (!RESIZE_STATUSES.includes(value)) errors.push(notSupported('status.allocatedResourceStatuses', name, RESIZE_STATUSES));
  }
  for (const [name, quantity] of Object.entries(status?.allocatedResources ?? {})) {
    const wrong = validateResourceKey(name, 'status.allocatedResources');
    errors.push(...(wrong.length > 0 ? wrong : negative(quantity, `status.allocatedResources[${name}]`)));
  }
  return errors;
}

function validateResourceKey(name: string, field: string): FieldError[] {
  const wrong = invalids(field, name, isQualifiedName(name));
  if (wrong.length > 0 || name === 'storage' || (name.includes('/') && !name.includes('kubernetes.io/'))) return wrong;
  return [notSupported(field, name, ['storage'])];
}

const IMMUTABLE = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** A bound claim may only ask for more, and for another attributes class; an unbound one may be bound. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, stored: PersistentVolumeClaim): FieldError[] {
  const { spec, status: now } = claim;
  const { spec: old, status } = stored;
  if (!spec || !old) return [];
  const errors: FieldError[] = [];
  const comparable = { ...spec };
  const expected = old.volumeName ? old : { ...old, ...(spec.volumeName && { volumeName: spec.volumeName }) };
  if (!classComesFromAnnotation(claim, stored)) {
    const [is, was] = [claim, stored].map(({ metadata }) => metadata.annotations?.[CLASS_ANNOTATION] ?? '');
    if (is !== was) errors.push(invalid(`metadata.annotations.${CLASS_ANNOTATION}`, is, 'field is immutable'));
  }
  if (mayTakeClass(claim, stored)) delete comparable.storageClassName;
  if (now?.phase === 'Bound') {
    if (spec.resources?.requests)
      comparable.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: old.resources?.requests?.storage ?? '0' } };
    delete comparable.volumeAttributesClassName;
    if (old.volumeAttributesClassName !== undefined) comparable.volumeAttributesClassName = old.volumeAttributesClassName;
  }
  if (!deepEqual(comparable, expected)) errors.push(forbidden('spec', IMMUTABLE));
  const [size, before, floor] = [spec.resources?.requests?.storage ?? '0', old.resources?.requests?.storage ?? '0', status?.capacity?.storage ?? '0'];
  if (size !== before && compareQuantities(size, before) < 0 && compareQuantities(size, floor) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  if (spec.volumeMode !== old.volumeMode) errors.push(invalid('volumeMode', spec.volumeMode, 'field is immutable'));
  return [...errors, ...validateClassChange(spec, old, status?.currentVolumeAttributesClassName)];
}

/** The class moves from the annotation of old to the field. */
function classComesFromAnnotation({ metadata, spec }: PersistentVolumeClaim, { metadata: oldMetadata, spec: old }: PersistentVolumeClaim): boolean {
  const was = oldMetadata.annotations?.[CLASS_ANNOTATION];
  const is = metadata.annotations?.[CLASS_ANNOTATION];
  return was !== undefined && old?.storageClassName === undefined && spec?.storageClassName === was && (is === undefined || is === was);
}

/** A claim without a class gets one once. */
function mayTakeClass({ spec }: PersistentVolumeClaim, { metadata, spec: old }: PersistentVolumeClaim): boolean {
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  return spec?.storageClassName !== undefined && old?.storageClassName === undefined && (annotated === undefined || annotated === spec.storageClassName);
}

/** What has been applied to the volume is not taken back to nothing. */
function validateClassChange(
  { volumeAttributesClassName: now }: PersistentVolumeClaimSpec,
  { volumeAttributesClassName: before }: PersistentVolumeClaimSpec,
  applied: string | undefined,
): FieldError[] {
  if (now === before || applied === undefined || (now !== undefined && now !== '')) return [];
  const what = now === undefined ? 'nil' : 'empty string';
  return [forbidden('spec.volumeAttributesClassName', `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`)];
}

/** Uses of the API that work but should not be: for the `Warning` header. */
export function claimWarnings({ resources }: PersistentVolumeClaimSpec, field: string): string[] {
  const storage = resources?.requests?.storage;
  if (storage === undefined || parseQuantity(storage).nanos % 1_000_000_000n === 0n) return [];
  return [`${field}.resources.requests[storage]: fractional byte value "${storage}" is invalid, must be an integer`];
}

export function claimObjectWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const annotated = metadata.annotations?.[CLASS_ANNOTATION] !== undefined;
  return [
    ...(annotated ? [`metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`] : []),
    ...(spec ? claimWarnings(spec, 'spec') : []),
  ];
}
