import type { FieldError } from '../field-error.js';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types.js';
import { compareQuantities, isQuantity } from '../quantity/arithmetic.js';
import { deepEqual } from '../util/deep-equal.js';
import { optionalEnum, optionalText, positiveQuantity, requiredText, validateLabelSelector } from './common.js';
import { forbidden, invalid, notSupported, required } from './errors.js';
import { isDNS1123Subdomain } from './names.js';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateAccessModes(modes: readonly string[] | undefined, field: string): FieldError[] {
  if ((modes ?? []).length === 0) return [required(field, 'at least 1 access mode is required')];
  const errors = (modes ?? []).filter((mode) => !ACCESS_MODES.includes(mode)).map((mode) => notSupported(field, mode, ACCESS_MODES));
  if (modes?.includes('ReadWriteOncePod') && modes.length > 1) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec | undefined, field: string): FieldError[] {
  if (!spec) return [required(field)];
  const storage = spec.resources?.requests?.storage;
  return [
    ...validateAccessModes(spec.accessModes, `${field}.accessModes`),
    ...validateLabelSelector(spec.selector, `${field}.selector`),
    ...(storage === undefined ? [required(`${field}.resources[storage]`)] : positiveQuantity(storage, `${field}.resources[storage]`)),
    ...optionalText(spec.storageClassName, `${field}.storageClassName`, isDNS1123Subdomain),
    ...optionalEnum(spec.volumeMode, `${field}.volumeMode`, ['Block', 'Filesystem']),
    ...optionalText(spec.volumeAttributesClassName, `${field}.volumeAttributesClassName`, isDNS1123Subdomain),
    ...validateDataSource(spec.dataSource, `${field}.dataSource`),
    ...validateDataSource(spec.dataSourceRef, `${field}.dataSourceRef`),
  ];
}

function validateDataSource(source: { readonly name: string; readonly kind: string; readonly apiGroup?: string } | undefined, field: string): FieldError[] {
  if (!source) return [];
  const errors = [...requiredText(source.name, `${field}.name`), ...requiredText(source.kind, `${field}.kind`)];
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(field, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  return errors;
}

export const validateClaim = ({ spec }: PersistentVolumeClaim): FieldError[] => validateClaimSpec(spec, 'spec');

/** What a claim has got, or is about to get. */
export const validateClaimStatus = ({ status }: PersistentVolumeClaim): FieldError[] =>
  (['capacity', 'allocatedResources'] as const).flatMap((key) =>
    Object.entries(status?.[key] ?? {}).flatMap(([name, quantity]) =>
      isQuantity(quantity) && compareQuantities(quantity, '0') < 0 ? [invalid(`status.${key}[${name}]`, quantity, 'must be a valid resource quantity')] : [],
    ),
  );

/** A bound claim may only ask for more, and for another attributes class; an unbound one may be bound. */
export function validateClaimUpdate({ spec }: PersistentVolumeClaim, { spec: old, status }: PersistentVolumeClaim): FieldError[] {
  if (!spec || !old) return [];
  const strip = ({ resources, volumeName, volumeAttributesClassName: _, storageClassName, ...rest }: PersistentVolumeClaimSpec) => ({
    ...rest,
    limits: resources?.limits,
    ...(old.volumeName && { volumeName }),
    ...(old.storageClassName !== undefined && { storageClassName }),
  });
  if (!deepEqual(strip(spec), strip(old))) {
    return [forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n')];
  }
  const now = spec.resources?.requests?.storage;
  const before = old.resources?.requests?.storage;
  if (now === undefined || before === undefined || !isQuantity(now) || now === before) return [];
  if (status?.phase !== 'Bound') {
    return [forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n')];
  }
  const floor = status.capacity?.storage;
  if (compareQuantities(now, before) < 0 && (floor === undefined || compareQuantities(now, floor) <= 0)) {
    return [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')];
  }
  return [];
}
