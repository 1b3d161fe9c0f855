import type { FieldError } from '../field-error.js';
import type { Container, Job, JobSpec, PodSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { isEmptySelector, nonNegative, optionalEnum, selectorMatches, validateLabelSelector } from './common.js';
import { invalid, notSupported, required } from './errors.js';
import { validateJobPolicies } from './job-policies.js';
import { immutable } from './object-meta.js';
import { validatePodTemplateSpec } from './pod/template.js';

export function validateJob({ metadata, spec }: Job): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = validateJobSpec(spec, 'spec');
  if (!spec.selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
    if (isEmptySelector(spec.selector)) errors.push(invalid('spec.selector', spec.selector, 'empty selector is invalid for job'));
    const labels = spec.template?.metadata?.labels ?? {};
    if (!selectorMatches(spec.selector, labels)) {
      errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
    }
  }
  const name = metadata.name ?? '';
  if (spec.completionMode === 'Indexed' && spec.completions !== undefined && `${name}-${spec.completions - 1}`.length > 63) {
    errors.push(invalid('metadata.name', `${name}-${spec.completions - 1}`, 'must be no more than 63 characters'));
  }
  return errors;
}

/** What jobs and the templates of cron jobs share. */
export function validateJobSpec(spec: JobSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
    'ttlSecondsAfterFinished',
  ] as const) {
    errors.push(...nonNegative(spec[key], `${field}.${key}`));
  }
  errors.push(...optionalEnum(spec.completionMode, `${field}.completionMode`, ['Indexed', 'NonIndexed']));
  if (spec.completionMode === 'Indexed') {
    if (spec.completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
    if ((spec.parallelism ?? 0) > 100000)
      errors.push(invalid(`${field}.parallelism`, spec.parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'));
  } else if (spec.backoffLimitPerIndex !== undefined) {
    errors.push(invalid(`${field}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'));
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.maxFailedIndexes !== undefined && spec.completions !== undefined && spec.maxFailedIndexes > spec.completions) {
    errors.push(invalid(`${field}.maxFailedIndexes`, spec.maxFailedIndexes, 'must be less than or equal to completions'));
  }
  if (!spec.template) return [...errors, required(`${field}.template`)];
  errors.push(...validatePodTemplateSpec(spec.template, `${field}.template`));
  const policy = spec.template.spec?.restartPolicy;
  const path = `${field}.template.spec.restartPolicy`;
  if (policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(path, policy ?? '', ['OnFailure', 'Never']));
  if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(path, policy ?? '', 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return [...errors, ...validateJobPolicies(spec, field)];
}

/** Completions (unless elastic indexed), selector and template are fixed; where its pods may run and what they get may change while none is there. */
export function validateJobUpdate({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  if (!spec || !old) return [];
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism && spec.completions !== undefined;
  const errors: FieldError[] = [];
  if (!elastic) errors.push(...immutable(spec.completions, old.completions, 'spec.completions'));
  const halted = status?.conditions?.some(({ type, status: is }) => type === 'Suspended' && is === 'True') ?? false;
  const mutable = old.suspend === true && !status?.active && (!status?.startTime || halted);
  const template = (from: JobSpec): unknown => (mutable && from.template?.spec ? { spec: fixedPart(from.template.spec) } : from.template);
  if (!deepEqual(template(spec), template(old))) errors.push(...immutable(spec.template, old.template, 'spec.template'));
  for (const key of ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) {
    errors.push(...immutable(spec[key], old[key], `spec.${key}`));
  }
  return errors;
}

/** A pod's spec without what says where it may run, and what its containers get. */
function fixedPart({ nodeSelector: _n, affinity: _a, tolerations: _t, schedulingGates: _g, ...rest }: PodSpec): PodSpec {
  const bare = ({ resources: _r, ...container }: Container): Container => container;
  return { ...rest, containers: rest.containers.map(bare), ...(rest.initContainers && { initContainers: rest.initContainers.map(bare) }) };
}
