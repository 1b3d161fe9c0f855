import type { KubeObject } from '../../definition.js';
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../generated/types.js';

/**
 * autoscaling/v1 knows only CPU utilization; it carries the rest of v2, the stored form, in annotations.
 * The JSON in them has the shape of v1's own metric types.
 */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const ANNOTATIONS = [METRICS, CURRENT, CONDITIONS, BEHAVIOR];

type Loose = Record<string, unknown>;

/** v2 → v1. */
export function hpaToV1(object: KubeObject): KubeObject {
  const { metrics = [], behavior, ...spec } = (object.spec ?? {}) as Loose & { metrics?: MetricSpec[] };
  const {
    currentMetrics: seen,
    conditions = [],
    ...status
  } = (object.status ?? {}) as Loose & {
    currentMetrics?: MetricStatus[] | null;
    conditions?: unknown[];
  };
  const currentMetrics = seen ?? [];
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((metric) => metric !== cpu);
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others.map(metricToV1));
  if (currentMetrics.length > 0) annotations[CURRENT] = JSON.stringify(currentMetrics.map(statusToV1));
  if (conditions.length > 0) annotations[CONDITIONS] = JSON.stringify(conditions);
  if (behavior !== undefined) annotations[BEHAVIOR] = JSON.stringify(behavior);
  const target = cpu?.resource?.target.averageUtilization;
  const current = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization;
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    ...(object.status && {
      status: { ...status, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
    }),
  };
}

/** v1 → v2. */
export function hpaFromV1(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = (object.spec ?? {}) as Loose;
  const { currentCPUUtilizationPercentage: current, ...status } = (object.status ?? {}) as Loose;
  const all = object.metadata.annotations ?? {};
  const metrics = (parse(all[METRICS]) ?? []).map(metricFromV1);
  if (target !== undefined) {
    metrics.unshift({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target as number } },
    });
  }
  let currentMetrics = (parse(all[CURRENT]) ?? []).map(statusFromV1);
  if (currentMetrics.length === 0 && current !== undefined) {
    currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current as number } } }];
  }
  const conditions = parse(all[CONDITIONS]);
  const behavior = all[BEHAVIOR] === undefined ? undefined : (JSON.parse(all[BEHAVIOR]) as Loose);
  const { annotations, ...metadata } = object.metadata;
  const kept = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !ANNOTATIONS.includes(key)));
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) },
    spec: { ...spec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    ...(object.status && {
      status: { ...status, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions && { conditions }) },
    }),
  };
}

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;

function parse(text: string | undefined): Loose[] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as Loose[]) : undefined;
  } catch {
    return undefined;
  }
}

const source = (metric: MetricSpec | MetricStatus): [string, Loose] => {
  const key = metric.type === 'ContainerResource' ? 'containerResource' : metric.type.toLowerCase();
  return [key, ((metric as unknown as Loose)[key] ?? {}) as Loose];
};

function metricToV1(metric: MetricSpec): Loose {
  const [key, body] = source(metric);
  const {
    target,
    metric: identifier,
    describedObject,
    ...rest
  } = body as Loose & {
    target?: MetricTarget;
    metric?: { name: string; selector?: unknown };
  };
  const named = identifier && { metricName: identifier.name, [key === 'external' ? 'metricSelector' : 'selector']: identifier.selector };
  const values = key.toLowerCase().endsWith('resource')
    ? { targetAverageUtilization: target?.averageUtilization, targetAverageValue: target?.averageValue }
    : key === 'pods'
      ? { targetAverageValue: target?.averageValue }
      : key === 'external'
        ? { targetValue: target?.value, targetAverageValue: target?.averageValue }
        : { targetValue: target?.value, averageValue: target?.averageValue, target: describedObject };
  return { type: metric.type, [key]: { ...rest, ...named, ...values } };
}

function metricFromV1(metric: Loose): MetricSpec {
  const type = String(metric.type);
  const key = type === 'ContainerResource' ? 'containerResource' : type.toLowerCase();
  const { metricName, metricSelector, selector, targetAverageUtilization, targetAverageValue, targetValue, averageValue, target, ...rest } = (metric[key] ??
    {}) as Loose;
  const average = targetAverageValue ?? averageValue;
  const goal =
    targetAverageUtilization !== undefined
      ? { type: 'Utilization', averageUtilization: targetAverageUtilization }
      : average !== undefined
        ? { type: 'AverageValue', averageValue: average }
        : { type: 'Value', value: targetValue };
  const identifier = metricName !== undefined && { metric: { name: metricName, selector: metricSelector ?? selector } };
  const described = key === 'object' && { describedObject: target };
  return { type, [key]: { ...rest, ...identifier, ...described, target: goal } } as MetricSpec;
}

function statusToV1(metric: MetricStatus): Loose {
  const [key, body] = source(metric);
  const {
    current,
    metric: identifier,
    describedObject,
    ...rest
  } = body as Loose & {
    current?: MetricValueStatus;
    metric?: { name: string; selector?: unknown };
  };
  const named = identifier && { metricName: identifier.name, [key === 'external' ? 'metricSelector' : 'selector']: identifier.selector };
  return {
    type: metric.type,
    [key]: {
      ...rest,
      ...named,
      ...(key === 'object' && { target: describedObject }),
      currentAverageUtilization: current?.averageUtilization,
      currentAverageValue: current?.averageValue,
      currentValue: current?.value,
    },
  };
}

function statusFromV1(metric: Loose): MetricStatus {
  const type = String(metric.type);
  const key = type === 'ContainerResource' ? 'containerResource' : type.toLowerCase();
  const { metricName, metricSelector, selector, currentAverageUtilization, currentAverageValue, currentValue, target, ...rest } = (metric[key] ?? {}) as Loose;
  const current = { averageUtilization: currentAverageUtilization, averageValue: currentAverageValue, value: currentValue };
  const identifier = metricName !== undefined && { metric: { name: metricName, selector: metricSelector ?? selector } };
  return { type, [key]: { ...rest, ...identifier, ...(key === 'object' && { describedObject: target }), current } } as MetricStatus;
}
