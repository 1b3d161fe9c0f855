import { canonicalQuantity, type HorizontalPodAutoscaler, type MetricSpec, type MetricStatus, type Pod, quantityMilliValue } from '@coxswain/api';
import type { ServedResource } from '../runtime/discovery.js';
import type { HpaMetrics } from './hpa-metrics.js';
import { byAverage, byShare, byUtilization, byValue, type PodMetrics, type Proposal, type Readiness, requestsOf, type Weighing } from './hpa-replicas.js';
import type { Tolerance } from './hpa-tolerance.js';

/** What one metric of an autoscaler asks for. */
export interface MetricProposal {
  readonly replicas: number;
  /** How the metric is called in conditions and events. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** The autoscaler's target as it stands. */
export interface Target {
  readonly hpa: HorizontalPodAutoscaler;
  readonly pods: readonly Pod[];
  /** Of its pods, as text. */
  readonly selector: string;
  /** Replicas it should have, and has. */
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerance: Tolerance;
  readonly readiness: Readiness;
}

/** Why a metric gives no number: with the reason that the condition ScalingActive gets. */
export class MetricError extends Error {
  constructor(
    readonly reason: string,
    message: string,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

const quantity = (milli: number): string => canonicalQuantity(`${Math.trunc(milli)}m`);
const message = (error: unknown): string => (error as Error).message;

/** Asks for one metric and weighs it. Rejects with a `MetricError`. */
export async function proposeFor(
  target: Target,
  spec: MetricSpec,
  metrics: HpaMetrics,
  resourceOf: (apiVersion: string | undefined, kind: string) => Promise<ServedResource | undefined>,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const { hpa, pods, selector, tolerance, readiness, specReplicas, statusReplicas } = target;
  const namespace = hpa.metadata.namespace ?? '';
  const weighing = (measured: PodMetrics): Weighing => ({ current: specReplicas, pods, metrics: measured, tolerance, readiness });
  const attempt = async <T>(reason: string, prefix: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new MetricError(reason, `${prefix}${message(error)}`, error);
    }
  };

  const ofResource = async (name: string, target: { averageUtilization?: number; averageValue?: string }, container?: string): Promise<Proposal> => {
    const measured = await metrics.resource(name, namespace, selector, container, signal).catch((error: unknown) => {
      throw new Error(`unable to get metrics for resource ${name}: ${message(error)}`, { cause: error });
    });
    if (target.averageValue !== undefined) return byAverage(weighing(measured), name, quantityMilliValue(target.averageValue));
    if (target.averageUtilization === undefined) throw new Error('neither a utilization target nor a value target was set');
    return byUtilization(weighing(measured), name, target.averageUtilization, requestsOf(pods, name, container));
  };
  const share = ({ average, utilization }: Proposal) => ({
    averageValue: quantity(average),
    ...(utilization !== undefined && { averageUtilization: utilization }),
  });

  const { resource, containerResource, pods: perPod, object, external } = spec;
  if (spec.type === 'Resource' && resource) {
    const { name, target: goal } = resource;
    const proposal = await attempt('FailedGetResourceMetric', `failed to get ${name} utilization: `, () => ofResource(name, goal));
    const status = { type: spec.type, resource: { name, current: share(proposal) } };
    const called = goal.averageValue === undefined ? `${name} resource utilization (percentage of request)` : `${name} resource`;
    return { replicas: proposal.replicas, name: called, status };
  }
  if (spec.type === 'ContainerResource' && containerResource) {
    const { name, container, target: goal } = containerResource;
    const proposal = await attempt('FailedGetContainerResourceMetric', `failed to get ${name} utilization: `, () => ofResource(name, goal, container));
    const status = { type: spec.type, containerResource: { name, container, current: share(proposal) } };
    const called = goal.averageValue === undefined ? `${name} container resource utilization (percentage of request)` : `${name} container resource`;
    return { replicas: proposal.replicas, name: called, status };
  }
  if (spec.type === 'Pods' && perPod) {
    const { metric, target: goal } = perPod;
    const proposal = await attempt('FailedGetPodsMetric', `unable to get metric ${metric.name}: `, async () =>
      byAverage(
        weighing(await metrics.pods(metric.name, namespace, selector, metric.selector, signal)),
        undefined,
        quantityMilliValue(goal.averageValue ?? '0'),
      ),
    );
    return { replicas: proposal.replicas, name: `pods metric ${metric.name}`, status: { type: spec.type, pods: { metric, current: share(proposal) } } };
  }
  if (spec.type === 'Object' && object) {
    const { metric, describedObject, target: goal } = object;
    const where = `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/`;
    const proposal = await attempt('FailedGetObjectMetric', where, async () => {
      const found = await resourceOf(describedObject.apiVersion, describedObject.kind);
      const value = await metrics.object(metric.name, namespace, describedObject, found, metric.selector, signal);
      return shared(value, goal);
    });
    const current = goal.averageValue === undefined ? { value: quantity(proposal.average) } : { averageValue: quantity(proposal.average) };
    return {
      replicas: proposal.replicas,
      name: `${describedObject.kind} metric ${metric.name}`,
      status: { type: spec.type, object: { metric, describedObject, current } },
    };
  }
  if (spec.type === 'External' && external) {
    const { metric, target: goal } = external;
    const proposal = await attempt('FailedGetExternalMetric', `unable to get external metric ${namespace}/${metric.name}: `, async () =>
      shared(await metrics.external(metric.name, namespace, metric.selector, signal), goal),
    );
    const current = goal.averageValue === undefined ? { value: quantity(proposal.average) } : { averageValue: quantity(proposal.average) };
    return { replicas: proposal.replicas, name: `external metric ${metric.name}`, status: { type: spec.type, external: { metric, current } } };
  }
  throw new MetricError('InvalidMetricSourceType', `unknown metric source type ${JSON.stringify(spec.type)}`, undefined);

  function shared(value: number, { averageValue, value: whole }: { averageValue?: string; value?: string }): Proposal {
    if (averageValue !== undefined) return byShare(statusReplicas, tolerance, value, quantityMilliValue(averageValue));
    return byValue({ current: specReplicas, pods, tolerance }, value, quantityMilliValue(whole ?? '0'));
  }
}
