import type { FieldError } from '../field-error.js';
import type { HorizontalPodAutoscaler, HPAScalingRules, MetricSpec, MetricTarget } from '../generated/types.js';
import { each, optionalEnum, positiveQuantity, requiredEnum, requiredText, validateLabelSelector } from './common.js';
import { forbidden, invalid, required } from './errors.js';
import { nameIsPathSegment } from './names.js';

const KINDS: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  if (!spec) return [required('spec')];
  const { minReplicas, maxReplicas, scaleTargetRef: target, metrics, behavior } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  for (const key of ['kind', 'name'] as const) {
    const value = target?.[key];
    if (!value) errors.push(required(`spec.scaleTargetRef.${key}`));
    else errors.push(...nameIsPathSegment(value, false).map((detail) => invalid(`spec.scaleTargetRef.${key}`, value, detail)));
  }
  return [
    ...errors,
    ...each(metrics, 'spec.metrics', validateMetric),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

function validateMetric(metric: MetricSpec, field: string): FieldError[] {
  const errors = requiredEnum(metric.type, `${field}.type`, Object.keys(KINDS));
  const own = KINDS[metric.type];
  for (const kind of Object.values(KINDS)) {
    if (kind !== own && metric[kind] !== undefined) {
      errors.push(forbidden(`${field}.${kind}`, `must populate the given metric source only`));
    }
  }
  if (own === undefined) return errors;
  if (metric[own] === undefined) return [...errors, required(`${field}.${own}`, 'must populate information for the given metric source')];
  const path = `${field}.${own}`;
  const { resource, containerResource, pods, object, external } = metric;
  if (resource)
    errors.push(...requiredText(resource.name, `${path}.name`), ...validateTarget(resource.target, `${path}.target`, ['Utilization', 'AverageValue']));
  if (containerResource) {
    errors.push(...requiredText(containerResource.name, `${path}.name`), ...requiredText(containerResource.container, `${path}.container`));
    errors.push(...validateTarget(containerResource.target, `${path}.target`, ['Utilization', 'AverageValue']));
  }
  for (const source of [pods, object, external]) {
    if (!source) continue;
    errors.push(...requiredText(source.metric?.name, `${path}.metric.name`), ...validateLabelSelector(source.metric?.selector, `${path}.metric.selector`));
    errors.push(...validateTarget(source.target, `${path}.target`, source === pods ? ['AverageValue'] : ['Value', 'AverageValue']));
  }
  return errors;
}

function validateTarget(target: MetricTarget | undefined, field: string, usable: readonly string[]): FieldError[] {
  const errors = requiredEnum(target?.type, `${field}.type`, ['AverageValue', 'Utilization', 'Value']);
  if (!target) return errors;
  if (target.averageUtilization !== undefined && target.averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, target.averageUtilization, 'must be greater than 0'));
  }
  if (target.value !== undefined) errors.push(...positiveQuantity(target.value, `${field}.value`).map(asPositive));
  if (target.averageValue !== undefined) errors.push(...positiveQuantity(target.averageValue, `${field}.averageValue`).map(asPositive));
  const given = { Utilization: target.averageUtilization, AverageValue: target.averageValue, Value: target.value };
  const set = usable.filter((kind) => given[kind as keyof typeof given] !== undefined);
  if (set.length === 0) errors.push(required(field, `must set one of ${usable.join(', ')}`));
  if (set.length > 1) errors.push(forbidden(field, 'may not set both a target raw value and a target utilization'));
  return errors;
}

const asPositive = (error: FieldError): FieldError => ({ ...error, message: error.message.replace('must be greater than zero', 'must be positive') });

function validateRules(rules: HPAScalingRules | undefined, field: string): FieldError[] {
  if (!rules) return [];
  const errors = optionalEnum(rules.selectPolicy, `${field}.selectPolicy`, ['Disabled', 'Max', 'Min']);
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0) errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > 3600) errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'));
  if ((rules.policies ?? []).length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  return [
    ...errors,
    ...each(rules.policies, `${field}.policies`, ({ type, value, periodSeconds }, path) => {
      const found = requiredEnum(type, `${path}.type`, ['Percent', 'Pods']);
      if (value <= 0) found.push(invalid(`${path}.value`, value, 'must be greater than zero'));
      if (periodSeconds <= 0) found.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
      if (periodSeconds > 1800) found.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'));
      return found;
    }),
  ];
}
