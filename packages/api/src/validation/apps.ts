import type { FieldError } from '../field-error.js';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  DeploymentStrategy,
  LabelSelector,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
} from '../generated/types.js';
import { isEmptySelector, nonNegative, notMoreThan100Percent, requiredEnum, selectorMatches, validateIntOrPercent, validateLabelSelector } from './common.js';
import { forbidden, invalid, notSupported, required } from './errors.js';
import { immutable } from './object-meta.js';
import { validatePodTemplateSpec } from './pod/template.js';

/** A selector that exists, selects something, and matches the template it comes with. */
export function validateSelectorAndTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  kind: string,
  old?: PodTemplateSpec,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'));
    if (isEmptySelector(selector)) errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`));
  }
  if (!template) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels ?? {};
  if (selector && !isEmptySelector(selector) && !selectorMatches(selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  errors.push(...validatePodTemplateSpec(template, 'spec.template', old));
  const policy = template.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  }
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${KIND_NAMES[kind] ?? kind} is not Supported`));
  }
  return errors;
}

const KIND_NAMES: Record<string, string> = { deployment: 'ReplicaSet', replicaset: 'ReplicaSet', daemonset: 'DaemonSet', statefulset: 'StatefulSet' };

export function validateDeployment({ spec }: Deployment, old?: Deployment): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateSelectorAndTemplate(spec.selector, spec.template, 'deployment', old?.spec?.template),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...nonNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function validateStrategy({ type, rollingUpdate }: DeploymentStrategy, field: string): FieldError[] {
  const errors = requiredEnum(type, `${field}.type`, ['Recreate', 'RollingUpdate']);
  if (type === 'Recreate') {
    if (rollingUpdate) errors.push(forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"));
    return errors;
  }
  if (type !== 'RollingUpdate') return errors;
  if (!rollingUpdate) return [...errors, required(`${field}.rollingUpdate`, 'this should be defaulted and never be nil')];
  return [...errors, ...validateRolling(rollingUpdate, `${field}.rollingUpdate`)];
}

function validateRolling(
  { maxUnavailable, maxSurge }: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string },
  field: string,
): FieldError[] {
  const errors = [...validateIntOrPercent(maxUnavailable, `${field}.maxUnavailable`), ...validateIntOrPercent(maxSurge, `${field}.maxSurge`)];
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    errors.push(invalid(`${field}.maxUnavailable`, maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...errors, ...notMoreThan100Percent(maxUnavailable, `${field}.maxUnavailable`)];
}

const isNone = (value: number | string | undefined): boolean => value === undefined || Number.parseInt(String(value), 10) === 0;

export const validateDeploymentUpdate = ({ spec }: Deployment, { spec: old }: Deployment): FieldError[] =>
  immutable(spec?.selector, old?.selector, 'spec.selector');

export function validateReplicaSet({ spec }: ReplicaSet, old?: ReplicaSet): FieldError[] {
  if (!spec) return [required('spec')];
  return [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateSelectorAndTemplate(spec.selector, spec.template, 'replicaset', old?.spec?.template),
  ];
}

export const validateReplicaSetUpdate = ({ spec }: ReplicaSet, { spec: old }: ReplicaSet): FieldError[] =>
  immutable(spec?.selector, old?.selector, 'spec.selector');

export function validateDaemonSet({ spec }: DaemonSet, old?: DaemonSet): FieldError[] {
  if (!spec) return [required('spec')];
  const strategy = spec.updateStrategy ?? {};
  const errors = [
    ...validateSelectorAndTemplate(spec.selector, spec.template, 'daemonset', old?.spec?.template),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...requiredEnum(strategy.type, 'spec.updateStrategy.type', ['OnDelete', 'RollingUpdate']),
  ];
  const rolling = strategy.rollingUpdate;
  if (strategy.type !== 'RollingUpdate') return errors;
  if (!rolling) return [...errors, required('spec.updateStrategy.rollingUpdate')];
  const path = 'spec.updateStrategy.rollingUpdate';
  errors.push(...validateIntOrPercent(rolling.maxUnavailable, `${path}.maxUnavailable`), ...validateIntOrPercent(rolling.maxSurge, `${path}.maxSurge`));
  errors.push(...notMoreThan100Percent(rolling.maxUnavailable, `${path}.maxUnavailable`), ...notMoreThan100Percent(rolling.maxSurge, `${path}.maxSurge`));
  if (!isNone(rolling.maxUnavailable) && !isNone(rolling.maxSurge)) {
    errors.push(invalid(`${path}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  if (isNone(rolling.maxUnavailable) && isNone(rolling.maxSurge)) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}

export const validateDaemonSetUpdate = ({ spec }: DaemonSet, { spec: old }: DaemonSet): FieldError[] =>
  immutable(spec?.selector, old?.selector, 'spec.selector');

export function validateReplicationController({ spec }: ReplicationController, old?: ReplicationController): FieldError[] {
  if (!spec) return [required('spec')];
  const selector = spec.selector ?? {};
  const errors = [...nonNegative(spec.replicas, 'spec.replicas'), ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds')];
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'));
  if (!spec.template) return [...errors, required('spec.template')];
  const labels = spec.template.metadata?.labels ?? {};
  if (!selectorMatches({ matchLabels: selector }, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  errors.push(...validatePodTemplateSpec(spec.template, 'spec.template', old?.spec?.template));
  const policy = spec.template.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  if (spec.template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicationController is not Supported'));
  }
  return errors;
}

export function validateControllerRevision({ data, revision }: ControllerRevision): FieldError[] {
  const errors = nonNegative(revision, 'revision');
  if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'));
  return errors;
}

export const validateControllerRevisionUpdate = (object: ControllerRevision, old: ControllerRevision): FieldError[] => immutable(object.data, old.data, 'data');
