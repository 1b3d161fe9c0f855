import type { FieldError } from '../field-error.js';
import type { CrossVersionObjectReference, HorizontalPodAutoscaler, HPAScalingRules, MetricSpec, MetricTarget } from '../generated/types.js';
import { each, nonNegative, nonNegativeQuantity, optionalEnum, positiveQuantity } from './common.js';
import { forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Label, nameIsPathSegment } from './names.js';

const KINDS: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

const SOURCES = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
const TARGETS = ['Utilization', 'Value', 'AverageValue'];
const ZERO = 'must specify at least one Object or External metric to support scaling to zero replicas';

/** With `old`: what it has of zero replicas and of odd API versions may stay. */
export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler, old?: HorizontalPodAutoscaler): FieldError[] {
  if (!spec) return [required('spec')];
  const { minReplicas, maxReplicas = 0, scaleTargetRef: target, metrics, behavior } = spec;
  const errors: FieldError[] = [];
  const lowest = old?.spec?.minReplicas === 0 ? 0 : 1;
  if (minReplicas !== undefined && minReplicas < lowest) {
    errors.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${lowest}`));
  }
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(...validateReference(target, 'spec.scaleTargetRef'));
  const before = old?.spec?.scaleTargetRef;
  if (before?.apiVersion !== target?.apiVersion || before?.kind !== target?.kind || !old) {
    errors.push(...validateVersion(target?.apiVersion, 'spec.scaleTargetRef', target?.kind === 'ReplicationController'));
  }
  const anyVersion = (old?.spec?.metrics ?? []).some(({ object }) => object && validateVersion(object.describedObject?.apiVersion, '', true).length > 0);
  errors.push(...each(metrics, 'spec.metrics', (metric, path) => validateMetric(metric, path, anyVersion)));
  if (minReplicas === 0 && !(metrics ?? []).some(({ type }) => type === 'Object' || type === 'External')) errors.push(forbidden('spec.metrics', ZERO));
  return [...errors, ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'), ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown')];
}

export const validateHorizontalPodAutoscalerStatus = ({ status }: HorizontalPodAutoscaler): FieldError[] =>
  (['currentReplicas', 'desiredReplicas'] as const).flatMap((key) => nonNegative(status?.[key], `status.${key}`));

function validateReference(reference: CrossVersionObjectReference | undefined, field: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((key) => pathSegment(reference?.[key], `${field}.${key}`));
}

const pathSegment = (value: string | undefined, field: string, detail = ''): FieldError[] =>
  value ? invalids(field, value, nameIsPathSegment(value, false)) : [required(field, detail)];

/** Only ReplicationControllers and what metrics describe are of the group without a name. */
function validateVersion(version: string | undefined, field: string, core: boolean): FieldError[] {
  const path = `${field}.apiVersion`;
  const parts = (version ?? '').split('/');
  if (parts.length > 2) return [invalid(path, version, `unexpected GroupVersion string: ${version}`)];
  return core || (parts.length === 2 && parts[0] !== '') ? [] : [invalid(path, version ?? '', 'apiVersion must specify API group')];
}

function validateMetric(metric: MetricSpec, field: string, anyVersion: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const own = KINDS[metric.type];
  if (!metric.type) errors.push(required(`${field}.type`, 'must specify a metric source type'));
  if (!own) errors.push(notSupported(`${field}.type`, metric.type ?? '', Object.keys(KINDS)));
  else if (metric[own] === undefined) errors.push(required(`${field}.${own}`, 'must populate information for the given metric source'));
  const given = SOURCES.filter((kind) => metric[kind] !== undefined);
  const first = given[0];
  if (first) errors.push(...validateSource(metric, first, `${field}.${first}`, anyVersion));
  if (given.length === 1 && (first === own || !own)) return errors;
  return [...errors, ...given.filter((kind) => kind !== own).map((kind) => forbidden(`${field}.${kind}`, 'must populate the given metric source only'))];
}

function validateSource(
  { object, external, pods, resource, containerResource }: MetricSpec,
  kind: keyof MetricSpec,
  field: string,
  anyVersion: boolean,
): FieldError[] {
  const target = `${field}.target`;
  const metric = (source: { readonly metric?: { readonly name?: string } }) =>
    pathSegment(source.metric?.name, `${field}.metric.name`, 'must specify a metric name');
  switch (kind) {
    case 'object':
      return [
        ...validateReference(object?.describedObject, `${field}.describedObject`),
        ...(anyVersion ? [] : validateVersion(object?.describedObject?.apiVersion, `${field}.describedObject`, true)),
        ...metric(object ?? {}),
        ...validateTarget(object?.target, target),
        ...oneOf(object?.target, target, ['value', 'averageValue'], 'averageValue', 'must set either a target value or averageValue'),
      ];
    case 'external': {
      const both = external?.target?.value !== undefined && external.target.averageValue !== undefined;
      return [
        ...metric(external ?? {}),
        ...validateTarget(external?.target, target),
        ...oneOf(external?.target, target, ['value', 'averageValue'], 'averageValue', 'must set either a target value for metric or a per-pod target'),
        ...(both ? [forbidden(`${target}.value`, 'may not set both a target value for metric and a per-pod target')] : []),
      ];
    }
    case 'pods':
      return [
        ...metric(pods ?? {}),
        ...validateTarget(pods?.target, target),
        ...oneOf(pods?.target, target, ['averageValue'], 'averageValue', 'must specify a positive target averageValue'),
      ];
    default: {
      const source = kind === 'resource' ? resource : containerResource;
      const both = source?.target?.averageUtilization !== undefined && source.target.averageValue !== undefined;
      const errors = source?.name ? [] : [required(`${field}.name`, 'must specify a resource name')];
      if (kind === 'containerResource') {
        const container = containerResource?.container;
        errors.push(
          ...(container ? invalids(`${field}.container`, container, isDNS1123Label(container)) : [required(`${field}.container`, 'must specify a container')]),
        );
      }
      return [
        ...errors,
        ...validateTarget(source?.target, target),
        ...oneOf(
          source?.target,
          target,
          ['averageUtilization', 'averageValue'],
          'averageUtilization',
          'must set either a target raw value or a target utilization',
        ),
        ...(both ? [forbidden(`${target}.averageValue`, 'may not set both a target raw value and a target utilization')] : []),
      ];
    }
  }
}

const oneOf = (target: MetricTarget | undefined, field: string, keys: readonly (keyof MetricTarget)[], named: string, detail: string): FieldError[] =>
  keys.some((key) => target?.[key] !== undefined) ? [] : [required(`${field}.${named}`, detail)];

function validateTarget(target: MetricTarget | undefined, field: string): FieldError[] {
  const { type = '', value, averageValue, averageUtilization } = target ?? {};
  const errors = type ? [] : [required(`${field}.type`, 'must specify a metric target type')];
  if (!TARGETS.includes(type)) errors.push(invalid(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  if (value !== undefined) errors.push(...positiveQuantity(value, `${field}.value`).map(asPositive));
  if (averageValue !== undefined) errors.push(...positiveQuantity(averageValue, `${field}.averageValue`).map(asPositive));
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

const asPositive = (error: FieldError): FieldError => ({ ...error, message: error.message.replace('must be greater than zero', 'must be positive') });

function validateRules(rules: HPAScalingRules | undefined, field: string): FieldError[] {
  if (!rules) return [];
  const errors: FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0) errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > 3600) errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'));
  errors.push(...optionalEnum(rules.selectPolicy, `${field}.selectPolicy`, ['Disabled', 'Max', 'Min']));
  if (rules.tolerance !== undefined) errors.push(...nonNegativeQuantity(rules.tolerance, `${field}.tolerance`));
  if ((rules.policies ?? []).length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  return [
    ...errors,
    ...each(rules.policies, `${field}.policies`, ({ type, value, periodSeconds }, path) => {
      const found = optionalEnum(type ?? '', `${path}.type`, ['Percent', 'Pods']);
      if (value <= 0) found.push(invalid(`${path}.value`, value, 'must be greater than zero'));
      if (periodSeconds <= 0) found.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
      if (periodSeconds > 1800) found.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'));
      return found;
    }),
  ];
}
