import type { FieldError } from '../field-error.js';
import type { Container, Job, JobSpec, PodSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { nonNegative, optionalEnum, selectorMatches, validateLabelSelector } from './common.js';
import { invalid, notSupported, required } from './errors.js';
import { validateJobPolicies } from './job-policies.js';
import { isDNS1123Label } from './names.js';
import { immutable } from './object-meta.js';
import { validatePodTemplateSpec } from './pod/template.js';

export function validateJob({ spec }: Job, old?: Job): FieldError[] {
  if (!spec) return [required('spec')];
  const errors = validateJobSpec(spec, 'spec', old?.spec);
  if (!spec.selector) errors.push(required('spec.selector'));
  else {
    errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
    const labels = spec.template?.metadata?.labels ?? {};
    if (!selectorMatches(spec.selector, labels)) {
      errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
    }
  }
  return errors;
}

const LEGACY = { uid: 'controller-uid', name: 'job-name' };
const LABELS = { uid: 'batch.kubernetes.io/controller-uid', name: 'batch.kubernetes.io/job-name' };

/** What holds for a new job only: how it finds its pods, and that their host names will do. */
export function validateNewJob({ metadata, spec }: Job): FieldError[] {
  if (!spec) return [];
  const { name = '', uid = '' } = metadata;
  const errors: FieldError[] = [];
  if (!spec.manualSelector && spec.selector) {
    const expected = { [LEGACY.uid]: uid, [LEGACY.name]: name, [LABELS.uid]: uid, [LABELS.name]: name };
    const labels = spec.template?.metadata?.labels ?? {};
    for (const [key, value] of Object.entries(expected)) {
      const field = `spec.template.metadata.labels[${key}]`;
      if (labels[key] === undefined) errors.push(required(field, `must be '${value}'`));
      else if (labels[key] !== value) errors.push(invalid(field, labels, `must be '${value}'`));
    }
    if (!selectorMatches(spec.selector, expected)) errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  if (spec.completionMode === 'Indexed' && spec.completions !== undefined && spec.completions > 0) {
    const last = `${name}-${spec.completions - 1}`;
    if (isDNS1123Label(last).length > 0) errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`));
  }
  return errors;
}

/** Labels and selector of a job that does not choose its pods itself. What the user set stays, for the validation to judge. */
export function generateSelector({ metadata, spec }: Job): void {
  if (!spec || spec.manualSelector || !spec.template) return;
  const { name = '', uid = '' } = metadata;
  spec.template.metadata ??= {};
  spec.template.metadata.labels = { [LEGACY.uid]: uid, [LEGACY.name]: name, [LABELS.uid]: uid, [LABELS.name]: name, ...spec.template.metadata.labels };
  spec.selector ??= {};
  spec.selector.matchLabels = { [LABELS.uid]: uid, ...spec.selector.matchLabels };
}

/** What jobs and the templates of cron jobs share. */
export function validateJobSpec(spec: JobSpec, field: string, old?: JobSpec): FieldError[] {
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
  errors.push(...optionalEnum(spec.completionMode, `${field}.completionMode`, ['NonIndexed', 'Indexed']));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.completionMode === 'Indexed') errors.push(...validateIndexed(spec, field));
  else if (spec.completionMode === undefined || spec.completionMode === 'NonIndexed') {
    for (const key of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[key] !== undefined) errors.push(invalid(`${field}.${key}`, spec[key], 'requires indexed completion mode'));
    }
  }
  if (!spec.template) return [...errors, required(`${field}.template`)];
  errors.push(...validatePodTemplateSpec(spec.template, `${field}.template`, old?.template));
  const policy = spec.template.spec?.restartPolicy;
  const path = `${field}.template.spec.restartPolicy`;
  if (!policy || policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(path, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return [...errors, ...validateJobPolicies(spec, field)];
}

const MAX_INDEXED = 100_000;
/** Beyond `MAX_INDEXED` completions with a limit per index, so that the lists of indexes stay writable. */
const MAX_HIGH = 10_000;

function validateIndexed({ completions, parallelism = 0, maxFailedIndexes: maxFailed, backoffLimitPerIndex }: JobSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const over = (key: 'parallelism' | 'maxFailedIndexes', value: number, max: number, when = ''): void => {
    if (value > max) errors.push(invalid(`${field}.${key}`, value, `must be less than or equal to ${max}${when}`));
  };
  if (completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
  over('parallelism', parallelism, MAX_INDEXED, ' when completion mode is Indexed');
  if (completions !== undefined && maxFailed !== undefined && maxFailed > completions) {
    errors.push(invalid(`${field}.maxFailedIndexes`, maxFailed, 'must be less than or equal to completions'));
  }
  over('maxFailedIndexes', maxFailed ?? 0, MAX_INDEXED);
  if ((completions ?? 0) <= MAX_INDEXED || backoffLimitPerIndex === undefined) return errors;
  if (maxFailed === undefined) errors.push(required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${MAX_INDEXED}`));
  const when = ` when completions are above ${MAX_INDEXED} and used with backoff limit per index`;
  over('parallelism', parallelism, MAX_HIGH, when);
  over('maxFailedIndexes', maxFailed ?? 0, MAX_HIGH, when);
  return errors;
}

/** An index list of such a job may grow beyond what can be stored. */
export function jobWarnings(spec: JobSpec | undefined, field: string): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec ?? {};
  if (completionMode !== 'Indexed' || completions <= MAX_INDEXED || parallelism <= MAX_HIGH) return [];
  return [
    `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
  ];
}

/** Completions (unless elastic indexed), selector and template are fixed; where its pods may run and what they get may change while none is there. */
export function validateJobUpdate({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  if (!spec || !old) return [];
  const errors: FieldError[] = [];
  if (spec.completionMode !== 'Indexed') errors.push(...immutable(spec.completions, old.completions, 'spec.completions'));
  else if (spec.completions !== undefined && spec.completions !== old.completions && spec.completions !== spec.parallelism) {
    errors.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'));
  }
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
function fixedPart({ nodeSelector: _n, affinity = {}, tolerations: _t, schedulingGates: _g, ...rest }: PodSpec): PodSpec {
  const { nodeAffinity: _node, ...others } = affinity;
  const bare = ({ resources: _r, ...container }: Container): Container => container;
  return { ...rest, affinity: others, containers: rest.containers.map(bare), ...(rest.initContainers && { initContainers: rest.initContainers.map(bare) }) };
}
