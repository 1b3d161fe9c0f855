import type { KubeObject, ManagedFieldsEntryLike, ObjectMetaLike, OwnerReferenceLike } from '../definition.js';
import type { FieldError } from '../field-error.js';
import { deepEqual } from '../util/deep-equal.js';
import { forbidden, internal, invalid, invalids, required, tooLong } from './errors.js';
import { addSyntax, type Sink } from './sink.js';
import { byteLength, isDNS1123Label, isLabelValue, isQualifiedName, type NameCheck, nameIsDNSSubdomain } from './names.js';

const ANNOTATION_LIMIT = 256 * 1024;
export const IMMUTABLE = 'field is immutable';

/** How an object's metadata is checked on every write. */
export interface MetaRules {
  readonly namespaced: boolean;
  /** Default: a DNS subdomain. */
  readonly validateName?: NameCheck;
}

/** All of `metadata`, for built-ins, custom resources and others alike. Name generation must have happened. */
export function validateObjectMeta(object: KubeObject, rules: MetaRules, field = 'metadata'): FieldError[] {
  const { metadata } = object;
  const check = rules.validateName ?? nameIsDNSSubdomain;
  const errors: FieldError[] = [];
  if (metadata.generateName) {
    errors.push(...invalids(`${field}.generateName`, metadata.generateName, check(metadata.generateName, true)));
  }
  if (metadata.name) errors.push(...invalids(`${field}.name`, metadata.name, check(metadata.name, false)));
  else if (metadata.generateName) errors.push(internal(`${field}.name`, 'no name was generated'));
  else errors.push(required(`${field}.name`, 'name or generateName is required'));
  errors.push(...validateNamespace(metadata, rules.namespaced, field));
  if ((metadata.generation ?? 0) < 0) {
    errors.push(invalid(`${field}.generation`, metadata.generation, 'must be greater than or equal to 0'));
  }
  return [
    ...errors,
    ...validateLabels(metadata.labels, `${field}.labels`),
    ...validateAnnotations(metadata.annotations, `${field}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences ?? [], `${field}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers ?? [], `${field}.finalizers`),
    ...validateManagedFields(metadata.managedFields ?? [], `${field}.managedFields`),
  ];
}

function validateNamespace({ namespace }: ObjectMetaLike, namespaced: boolean, field: string): FieldError[] {
  if (!namespaced) return namespace ? [forbidden(`${field}.namespace`, 'not allowed on this type')] : [];
  if (!namespace) return [required(`${field}.namespace`)];
  return invalids(`${field}.namespace`, namespace, isDNS1123Label(namespace));
}

export function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  const sink: Sink = [];
  for (const key in labels) {
    addSyntax(sink, field, key, isQualifiedName(key));
    const value = labels[key] as string;
    addSyntax(sink, field, value, isLabelValue(value));
  }
  return sink;
}

export function validateAnnotations(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  const sink: Sink = [];
  let size = 0;
  for (const key in annotations) {
    addSyntax(sink, field, key, isQualifiedName(key.toLowerCase()));
    size += byteLength(key) + byteLength(annotations[key] as string);
  }
  if (size > ANNOTATION_LIMIT) sink.push(tooLong(field, ANNOTATION_LIMIT));
  return sink;
}

function validateOwnerReferences(references: readonly OwnerReferenceLike[], field: string): FieldError[] {
  const errors = references.flatMap((reference) => validateOwnerReference(reference, field));
  const controllers = references.filter(({ controller }) => controller).map(({ kind, name }) => `${kind}/${name}`);
  for (const other of controllers.slice(1)) {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]} and ${other}`;
    errors.push(invalid(field, references, detail));
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReferenceLike, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const version = (reference.apiVersion ?? '').split('/').pop();
  if (!version) errors.push(invalid(`${field}.apiVersion`, reference.apiVersion ?? '', 'version must not be empty'));
  for (const key of ['kind', 'name', 'uid'] as const) {
    if (!reference[key]) errors.push(invalid(`${field}.${key}`, reference[key] ?? '', 'must not be empty'));
  }
  if (reference.apiVersion === 'v1' && reference.kind === 'Event') {
    errors.push(invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], field: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) => invalids(field, finalizer, isQualifiedName(finalizer)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

function validateManagedFields(entries: readonly ManagedFieldsEntryLike[], field: string): FieldError[] {
  return entries.flatMap((entry, index) => {
    const path = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(invalid(`${path}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'));
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalid(`${path}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    }
    if ((entry.manager ?? '').length > 128) errors.push(tooLong(`${path}.manager`, 128));
    if ((entry.subresource ?? '').length > 256) errors.push(tooLong(`${path}.subresource`, 256));
    return errors;
  });
}

/** What of `metadata` may not change once the object exists, and what must only go one way. */
export function validateObjectMetaUpdate(object: KubeObject, old: KubeObject, field = 'metadata'): FieldError[] {
  const { metadata } = object;
  const before = old.metadata;
  const errors: FieldError[] = [];
  if (before.deletionTimestamp) {
    const added = (metadata.finalizers ?? []).filter((name) => !before.finalizers?.includes(name)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbidden(`${field}.finalizers`, detail));
    }
  }
  if (!metadata.resourceVersion) {
    errors.push(invalid(`${field}.resourceVersion`, metadata.resourceVersion ?? '', 'must be specified for an update'));
  }
  if ((metadata.generation ?? 0) < (before.generation ?? 0)) {
    errors.push(invalid(`${field}.generation`, metadata.generation, 'must not be decremented'));
  }
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (!deepEqual(metadata[key], before[key])) errors.push(invalid(`${field}.${key}`, metadata[key], IMMUTABLE));
  }
  return errors;
}

/** `field is immutable` unless both are alike. */
export function immutable(value: unknown, old: unknown, field: string): FieldError[] {
  return deepEqual(value, old) ? [] : [invalid(field, value, IMMUTABLE)];
}
