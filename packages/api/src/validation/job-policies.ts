import type { FieldError } from '../field-error.js';
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicyRule } from '../generated/types.js';
import { each, nonNegative, optionalEnum } from './common.js';
import { duplicate, invalid, invalidRelation, invalids, notSupported, required, tooLong, tooMany } from './errors.js';
import { countIndexes } from './job-indexes.js';
import { isDomainPrefixedPath, isQualifiedName } from './names.js';

const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_MANAGED_BY = 63;
const MAX_SUCCEEDED_INDEXES = 64 * 1024;
const POLICY_ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const STATUSES = ['False', 'True', 'Unknown'];
const OPERATORS = ['In', 'NotIn'];

const requiredOf = (field: string, values: readonly string[]): FieldError =>
  required(field, `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`);

/** What fails, ignores, succeeds or takes over a job. */
export function validateJobPolicies(spec: JobSpec, field: string): FieldError[] {
  return [
    ...validateManagedBy(spec.managedBy, `${field}.managedBy`),
    ...validateReplacement(spec, `${field}.podReplacementPolicy`),
    ...atMost(spec.podFailurePolicy?.rules, `${field}.podFailurePolicy.rules`),
    ...each(spec.podFailurePolicy?.rules, `${field}.podFailurePolicy.rules`, (rule, path) => validateFailureRule(rule, path, spec)),
    ...validateSuccess(spec, `${field}.successPolicy`),
  ];
}

const atMost = (list: readonly unknown[] = [], field: string, max = MAX_RULES): FieldError[] => (list.length > max ? [tooMany(field, list.length, max)] : []);

function validateManagedBy(name: string | undefined, field: string): FieldError[] {
  if (name === undefined) return [];
  const errors = name ? invalids(field, name, isDomainPrefixedPath(name)) : [required(field)];
  return name.length > MAX_MANAGED_BY ? [...errors, tooLong(field, MAX_MANAGED_BY)] : errors;
}

function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, field: string): FieldError[] {
  if (policy === undefined) return [];
  const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  return supported.includes(policy) ? [] : [notSupported(field, policy, supported)];
}

function validateFailureRule(rule: PodFailurePolicyRule, field: string, spec: JobSpec): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const errors = action ? optionalEnum(action, `${field}.action`, POLICY_ACTIONS) : [requiredOf(`${field}.action`, POLICY_ACTIONS)];
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  }
  if (onExitCodes) errors.push(...validateExitCodes(onExitCodes, `${field}.onExitCodes`, spec));
  errors.push(
    ...atMost(onPodConditions, `${field}.onPodConditions`),
    ...each(onPodConditions, `${field}.onPodConditions`, ({ type, status }, path) => [
      ...invalids(`${path}.type`, type, isQualifiedName(type)),
      ...(status ? optionalEnum(status, `${path}.status`, STATUSES) : [requiredOf(`${path}.status`, STATUSES)]),
    ]),
  );
  if (onExitCodes && onPodConditions.length > 0) errors.push(invalidRelation(field, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  if (!onExitCodes && onPodConditions.length === 0) errors.push(invalidRelation(field, 'specifying one of OnExitCodes and OnPodConditions is required'));
  return errors;
}

function validateExitCodes({ operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement, field: string, spec: JobSpec): FieldError[] {
  const errors = operator ? optionalEnum(operator, `${field}.operator`, OPERATORS) : [requiredOf(`${field}.operator`, OPERATORS)];
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  if (containerName !== undefined && ![...containers, ...initContainers].some(({ name }) => name === containerName)) {
    errors.push(invalid(`${field}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template'));
  }
  if (values.length === 0) errors.push(invalid(`${field}.values`, values, 'at least one value is required'));
  errors.push(...atMost(values, `${field}.values`, MAX_EXIT_CODES));
  values.forEach((value, index) => {
    if (values.indexOf(value) < index) errors.push(duplicate(`${field}.values[${index}]`, value));
    if (operator === 'In' && value === 0) errors.push(invalid(`${field}.values[${index}]`, value, 'must not be 0 for the In operator'));
  });
  if (values.some((value, index) => index > 0 && value < (values[index - 1] ?? value))) errors.push(invalid(`${field}.values`, values, 'must be ordered'));
  return errors;
}

function validateSuccess(spec: JobSpec, field: string): FieldError[] {
  const policy = spec.successPolicy;
  if (!policy) return [];
  if (spec.completionMode !== 'Indexed') return [invalid(field, policy, 'requires indexed completion mode')];
  const rules = policy.rules ?? [];
  if (rules.length === 0) return [required(`${field}.rules`, 'at least one rules must be specified when the successPolicy is specified')];
  return [...atMost(rules, `${field}.rules`), ...each(rules, `${field}.rules`, (rule, path) => validateSuccessRule(rule, path, spec.completions ?? 0))];
}

function validateSuccessRule({ succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule, field: string, completions: number): FieldError[] {
  if (count === undefined && indexes === undefined) {
    return [required(field, 'at least one of succeededCount or succeededIndexes must be specified')];
  }
  const errors = nonNegative(count, `${field}.succeededCount`);
  if ((indexes ?? '').length > MAX_SUCCEEDED_INDEXES) errors.push(tooLong(`${field}.succeededIndexes`, MAX_SUCCEEDED_INDEXES));
  const total = indexes === undefined ? undefined : countIndexes(indexes, completions);
  if (typeof total === 'string') errors.push(invalid(`${field}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${total}`));
  if (count !== undefined && count > completions) {
    errors.push(invalid(`${field}.succeededCount`, count, `must be less than or equal to ${completions} (the number of specified completions)`));
  }
  if (count !== undefined && typeof total === 'number' && count > total) {
    errors.push(
      invalid(`${field}.succeededCount`, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`),
    );
  }
  return errors;
}
