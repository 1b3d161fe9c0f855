import type { FieldError } from '../field-error.js';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { optionalEnum, optionalText, positiveQuantity } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Subdomain } from './names.js';
import { validateAccessModes } from './persistent-volume-claim.js';
import { nodeSelectorTermWarnings, wasLabelledOtherwise } from './node-labels.js';
import { hasWrongTerm } from './pod/options.js';
import { validateNodeSelectorTerms } from './pod/scheduling.js';
import type { Sink } from './sink.js';
import { PERSISTENT_SOURCES, type PersistentSource } from './volume/persistent.js';

/** With `old`: what is stored with a fault that is found only now may keep it. */
export function validateVolumeObject({ metadata, spec }: PersistentVolume, old?: PersistentVolume): FieldError[] {
  if (!spec) return [required('spec')];
  const sink: Sink = [
    ...validateAccessModes(spec.accessModes, 'spec.accessModes', ''),
    ...validateCapacity(spec),
    ...(spec.persistentVolumeReclaimPolicy
      ? optionalEnum(spec.persistentVolumeReclaimPolicy, 'spec.persistentVolumeReclaimPolicy', ['Delete', 'Recycle', 'Retain'])
      : []),
    ...validateNodeAffinity(spec, hasWrongTerm(old?.spec?.nodeAffinity?.required?.nodeSelectorTerms)),
  ];
  addSource(sink, 'spec', spec, metadata.name ?? '');
  if (spec.hostPath && isRoot(spec.hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    sink.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  return [
    ...sink,
    ...optionalText(spec.storageClassName, 'spec.storageClassName', isDNS1123Subdomain),
    ...optionalEnum(spec.volumeMode, 'spec.volumeMode', ['Block', 'Filesystem']),
    ...validateAttributesClass(spec),
  ];
}

const INLINE = 'in the context of inline volumes';

/** Of a pod's own, on the way from a plugin in the tree to a driver: what is of claims and scheduling it has not. */
export function validateInlineVolume(spec: PersistentVolumeSpec, field: string): FieldError[] {
  const sink: Sink = [];
  for (const key of ['claimRef', 'nodeAffinity'] as const) if (spec[key]) sink.push(forbidden(`${field}.${key}`, `may not be specified ${INLINE}`));
  if (Object.keys(spec.capacity ?? {}).length > 0) sink.push(forbidden(`${field}.capacity`, `may not be specified ${INLINE}`));
  if (spec.storageClassName) sink.push(forbidden(`${field}.storageClassName`, `may not be specified ${INLINE}`));
  if (!spec.csi) sink.push(required(`${field}.csi`, `has to be specified ${INLINE}`));
  if (spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== 'Retain') {
    sink.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, `may only be Retain ${INLINE}`));
  }
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem') {
    sink.push(forbidden(`${field}.volumeMode`, `may not specify volumeMode other than Filesystem ${INLINE}`));
  }
  sink.push(...validateAccessModes(spec.accessModes, `${field}.accessModes`, ''));
  addSource(sink, field, spec, '');
  return sink;
}

const isRoot = (path: string): boolean => path.startsWith('/') && path.split('/').every((part) => part === '' || part === '.');

function validateNodeAffinity({ nodeAffinity }: PersistentVolumeSpec, anyValue: boolean): FieldError[] {
  if (!nodeAffinity) return [];
  if (!nodeAffinity.required) return [required('spec.nodeAffinity.required', 'must specify required node constraints')];
  return validateNodeSelectorTerms(nodeAffinity.required.nodeSelectorTerms, 'spec.nodeAffinity.required', anyValue);
}

function validateAttributesClass({ volumeAttributesClassName: name, csi }: PersistentVolumeSpec): FieldError[] {
  if (name === undefined) return [];
  const path = 'spec.volumeAttributesClassName';
  const errors = name === '' ? [required(path, 'an empty string is disallowed')] : invalids(path, name, isDNS1123Subdomain(name));
  return csi ? errors : [...errors, required('spec.csi', 'has to be specified when using volumeAttributesClassName')];
}

function validateCapacity({ capacity }: PersistentVolumeSpec): FieldError[] {
  const entries = Object.entries(capacity ?? {});
  const errors = entries.length === 0 ? [required('spec.capacity')] : [];
  if (capacity?.storage === undefined || entries.length > 1) errors.push(notSupported('spec.capacity', capacity ?? null, ['storage']));
  return [
    ...errors,
    ...entries.flatMap(([name, quantity]) => [
      ...(quantity.startsWith('-') ? [invalid(`spec.capacity[${name}]`, quantity, 'must be a valid resource quantity')] : []),
      ...positiveQuantity(quantity, `spec.capacity[${name}]`),
    ]),
  ];
}

function addSource(sink: Sink, field: string, spec: PersistentVolumeSpec, name: string): void {
  let found = false;
  for (const [source, check] of PERSISTENT_SOURCES) {
    if (!spec[source]) continue;
    // Of all the sources, upstream takes this one beside another.
    if (found && source !== 'flexVolume')
      sink.push(forbidden(`${field}.${source === 'cephfs' ? 'cephFS' : source}`, 'may not specify more than 1 volume type'));
    else check(sink, field, spec, name);
    found = true;
  }
  if (!found) sink.push(required(field, 'must specify a volume type'));
}

/** The volume behind the object is fixed; a secret for making it larger may come later. */
export function validateVolumeObjectUpdate({ spec }: PersistentVolume, { spec: old }: PersistentVolume): FieldError[] {
  if (!spec || !old) return [];
  const errors: FieldError[] = [];
  const source = (from: PersistentVolumeSpec) => Object.fromEntries(PERSISTENT_SOURCES.map(([kind]): [PersistentSource, unknown] => [kind, from[kind]]));
  const now = source(spec);
  if (old.csi && !old.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...rest } = spec.csi;
    now.csi = rest;
  }
  if (!deepEqual(now, source(old))) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation\n'));
  }
  if (!deepEqual(spec.volumeMode, old.volumeMode)) errors.push(invalid('volumeMode', spec.volumeMode, 'field is immutable'));
  if (old.nodeAffinity && !wasLabelledOtherwise(spec.nodeAffinity?.required?.nodeSelectorTerms, old.nodeAffinity.required?.nodeSelectorTerms)) {
    errors.push(invalid('nodeAffinity', spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA'));
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
}

const OLD_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const OLD_SOURCES: readonly (readonly [source: PersistentSource, shown: string, warning: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Uses of the API that work but should not be: for the `Warning` header. */
export function volumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[OLD_ANNOTATION] !== undefined) {
    warnings.push(`metadata.annotations[${OLD_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`);
  }
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  for (const [index, term] of (spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...nodeSelectorTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`));
  }
  for (const [source, shown, warning] of OLD_SOURCES) if (spec?.[source]) warnings.push(`spec.${shown}: ${warning}`);
  return warnings;
}
