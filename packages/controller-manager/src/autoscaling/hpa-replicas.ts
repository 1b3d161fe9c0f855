import { type Pod, quantityMilliValue } from '@coxswain/api';
import { parseTime } from '@coxswain/apimachinery';
import { isTolerable, type Tolerance } from './hpa-tolerance.js';

/** What was measured of one pod. Values are in thousandths. */
export interface PodMetric {
  readonly value: number;
  /** Milliseconds since the epoch; when it was measured, and over how long. */
  readonly at: number;
  readonly windowMs: number;
}

/** By the pods' names. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

export interface Readiness {
  readonly now: number;
  /** So long after its start a pod's CPU use says little: what it does then is starting. Milliseconds. */
  readonly cpuInitializationMs: number;
  /** A pod that has not been ready within so long of its start has not been ready at all. Milliseconds. */
  readonly readinessDelayMs: number;
}

/** How many pods a metric asks for, and what it is now: on average of a pod, in thousandths. */
export interface Proposal {
  readonly replicas: number;
  readonly average: number;
  /** In percent of what the pods request. */
  readonly utilization?: number;
}

export interface Weighing {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly metrics: PodMetrics;
  readonly tolerance: Tolerance;
  readonly readiness: Readiness;
}

const nameOf = (pod: Pod): string => pod.metadata.name ?? '';

/** Pods by how far their figures count. */
function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string | undefined, readiness: Readiness) {
  const groups = { ready: 0, unready: new Set<string>(), missing: new Set<string>(), ignored: new Set<string>() };
  for (const pod of pods) {
    const name = nameOf(pod);
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Failed') groups.ignored.add(name);
    else if (pod.status?.phase === 'Pending') groups.unready.add(name);
    else if (!metric) groups.missing.add(name);
    else if (resource === 'cpu' && isStarting(pod, metric, readiness)) groups.unready.add(name);
    else groups.ready++;
  }
  return groups;
}

/** Whether its CPU use tells of its start only. */
function isStarting(pod: Pod, metric: PodMetric, { now, cpuInitializationMs, readinessDelayMs }: Readiness): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const started = parseTime(pod.status?.startTime ?? '');
  if (!ready || started === undefined) return true;
  const since = parseTime(ready.lastTransitionTime ?? '') ?? 0;
  if (started + cpuInitializationMs > now) return ready.status === 'False' || metric.at < since + metric.windowMs;
  return ready.status === 'False' && started + readinessDelayMs > since;
}

/** Thousandths of a resource that pods request, of one container or all. Throws when a container does not say. */
export function requestsOf(pods: readonly Pod[], resource: string, container?: string): ReadonlyMap<string, number> {
  return new Map(
    pods.map((pod) => {
      const whole = container === undefined ? pod.spec?.resources?.requests?.[resource] : undefined;
      if (whole !== undefined) return [nameOf(pod), quantityMilliValue(whole)];
      const running = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')];
      const total = running
        .filter(({ name }) => container === undefined || name === container)
        .reduce((sum, { name, resources }) => {
          const request = resources?.requests?.[resource];
          if (request === undefined) throw new Error(`missing request for ${resource} in container ${name} of Pod ${nameOf(pod)}`);
          return sum + quantityMilliValue(request);
        }, 0);
      return [nameOf(pod), total];
    }),
  );
}

/**
 * What pods are measured at against what they should be. Pods without a figure count against the change: as idle when it is to be grown, as
 * busy when it is to be shrunk; those that are not ready yet as idle when it is to be grown. Throws when there is nothing to go by.
 */
function weigh(
  { current, pods, metrics, tolerance, readiness }: Weighing,
  resource: string | undefined,
  ratioOf: (metrics: PodMetrics) => { readonly ratio: number; readonly average: number; readonly utilization?: number },
  busy: (pod: string) => number,
): Proposal {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count');
  const { ready, unready, missing, ignored } = groupPods(pods, metrics, resource, readiness);
  const measured = new Map([...metrics].filter(([name]) => !unready.has(name) && !ignored.has(name)));
  if (measured.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  const { ratio, ...now } = ratioOf(measured);
  const withUnready = unready.size > 0 && ratio > 1;
  if (!withUnready && missing.size === 0) {
    return { ...now, replicas: isTolerable(ratio, tolerance) ? current : Math.ceil(ratio * ready) };
  }
  const assume = (name: string, value: number) => measured.set(name, { value, at: readiness.now, windowMs: 0 });
  for (const name of missing) {
    if (ratio < 1) assume(name, busy(name));
    else if (ratio > 1) assume(name, 0);
  }
  if (withUnready) for (const name of unready) assume(name, 0);
  const { ratio: careful } = ratioOf(measured);
  if (isTolerable(careful, tolerance) || (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)) return { ...now, replicas: current };
  const replicas = Math.ceil(careful * measured.size);
  const turned = (careful < 1 && replicas > current) || (careful > 1 && replicas < current);
  return { ...now, replicas: turned ? current : replicas };
}

/** By a share of what the pods request, in percent. */
export function byUtilization(weighing: Weighing, resource: string, target: number, requests: ReadonlyMap<string, number>): Proposal {
  const ratioOf = (metrics: PodMetrics) => {
    const known = [...metrics].filter(([name]) => requests.has(name));
    const total = known.reduce((sum, [, { value }]) => sum + value, 0);
    const requested = known.reduce((sum, [name]) => sum + (requests.get(name) ?? 0), 0);
    if (requested === 0) throw new Error('no metrics returned matched known pods');
    const utilization = Math.trunc((total * 100) / requested);
    return { ratio: utilization / target, utilization, average: Math.trunc(total / known.length) };
  };
  // Whoever may use more than it requests is taken to do so.
  return weigh(weighing, resource, ratioOf, (name) => ((requests.get(name) ?? 0) * Math.max(100, target)) / 100);
}

/** By an average over the pods, in thousandths. */
export function byAverage(weighing: Weighing, resource: string | undefined, target: number): Proposal {
  const ratioOf = (metrics: PodMetrics) => {
    const average = Math.trunc([...metrics.values()].reduce((sum, { value }) => sum + value, 0) / metrics.size);
    return { ratio: average / target, average };
  };
  return weigh(weighing, resource, ratioOf, () => target);
}

/** By one value of which there should be so much, however many pods there are. */
export function byValue({ current, pods, tolerance }: Pick<Weighing, 'current' | 'pods' | 'tolerance'>, value: number, target: number): Proposal {
  const ratio = value / target;
  if (current === 0) return { replicas: Math.ceil(ratio), average: value };
  if (isTolerable(ratio, tolerance)) return { replicas: current, average: value };
  if (pods.length === 0) throw new Error('unable to calculate ready pods: no pods returned by selector while calculating replica count');
  const ready = pods.filter(({ status }) => status?.phase === 'Running' && status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
  return { replicas: Math.ceil(ratio * ready.length), average: value };
}

/** By one value that the pods share. `present`: how many there are. */
export function byShare(present: number, tolerance: Tolerance, value: number, target: number): Proposal {
  const average = present === 0 ? 0 : Math.ceil(value / present);
  return { replicas: isTolerable(value / (target * present), tolerance) ? present : Math.ceil(value / target), average };
}
