import type { FieldError } from '../field-error.js';
import type { StatefulSet, StatefulSetSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { validateSelectorAndTemplate } from './apps.js';
import { each, nonNegative, notMoreThan100Percent, optionalText, requiredEnum, requiredText, validateIntOrPercent } from './common.js';
import { forbidden, invalid, required } from './errors.js';
import { isDNS1123Label, isDNS1123Subdomain } from './names.js';
import { validateClaimSpec } from './persistent-volume-claim.js';

export function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = [
    ...validateManagement(spec.podManagementPolicy),
    ...validateUpdateStrategy(spec),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...optionalText(spec.serviceName, 'spec.serviceName', isDNS1123Subdomain),
  ];
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  if (retention) {
    const path = 'spec.persistentVolumeClaimRetentionPolicy';
    errors.push(...requiredEnum(retention.whenDeleted, `${path}.whenDeleted`, ['Delete', 'Retain']));
    errors.push(...requiredEnum(retention.whenScaled, `${path}.whenScaled`, ['Delete', 'Retain']));
  }
  return [
    ...errors,
    ...each(spec.volumeClaimTemplates, 'spec.volumeClaimTemplates', ({ metadata, spec: claim }, path) => [
      ...requiredText(metadata?.name, `${path}.metadata.name`, isDNS1123Label),
      ...validateClaimSpec(claim, `${path}.spec`),
    ]),
    ...validateSelectorAndTemplate(spec.selector, withClaimVolumes(spec), 'statefulset'),
  ];
}

/** The volumes claims will become: mounts may name them. */
function withClaimVolumes({ template, volumeClaimTemplates = [] }: StatefulSetSpec): StatefulSetSpec['template'] {
  if (!template?.spec || volumeClaimTemplates.length === 0) return template;
  const names = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name));
  const kept = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name));
  const claims = volumeClaimTemplates.flatMap(({ metadata }) =>
    metadata?.name ? [{ name: metadata.name, persistentVolumeClaim: { claimName: metadata.name } }] : [],
  );
  return { ...template, spec: { ...template.spec, volumes: [...kept, ...claims] } };
}

const MANAGEMENT = ['OrderedReady', 'Parallel'];

function validateManagement(policy: string | undefined): FieldError[] {
  const field = 'spec.podManagementPolicy';
  if (!policy) return [required(field)];
  return MANAGEMENT.includes(policy) ? [] : [invalid(field, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateUpdateStrategy({ updateStrategy = {} }: StatefulSetSpec): FieldError[] {
  const { type, rollingUpdate } = updateStrategy;
  const path = 'spec.updateStrategy';
  const errors: FieldError[] = [];
  if (!type) errors.push(required(path));
  else if (type !== 'OnDelete' && type !== 'RollingUpdate') errors.push(invalid(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
  if (type === 'OnDelete' && rollingUpdate) {
    errors.push(invalid(`${path}.rollingUpdate`, rollingUpdate, `only allowed for updateStrategy 'RollingUpdate'`));
  }
  if (type === 'RollingUpdate' && rollingUpdate) {
    errors.push(...nonNegative(rollingUpdate.partition, `${path}.rollingUpdate.partition`));
    errors.push(...validateIntOrPercent(rollingUpdate.maxUnavailable, `${path}.rollingUpdate.maxUnavailable`));
    errors.push(...notMoreThan100Percent(rollingUpdate.maxUnavailable, `${path}.rollingUpdate.maxUnavailable`));
    if (rollingUpdate.maxUnavailable === 0 || rollingUpdate.maxUnavailable === '0%') {
      errors.push(invalid(`${path}.rollingUpdate.maxUnavailable`, rollingUpdate.maxUnavailable, 'cannot be 0'));
    }
  }
  return errors;
}

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export function validateStatefulSetUpdate({ spec }: StatefulSet, { spec: old }: StatefulSet): FieldError[] {
  const fixed = (from: StatefulSetSpec | undefined) =>
    Object.fromEntries(Object.entries(from ?? {}).filter(([key]) => !(MUTABLE as readonly string[]).includes(key)));
  if (deepEqual(fixed(spec), fixed(old))) return [];
  return [
    forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ];
}
